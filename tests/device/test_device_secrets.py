"""A secret reaches the device and nobody else: no message, no log, no evidence and no repr has it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from device_bench import MINIMAL, Write
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.device import Device, Profile
from harness.device.process import redacted
from harness.device.profile import secrets
from harness.device.tables.placeholders import fill, names_in, secrets_in
from harness.drive.blanking import blanked
from harness.errors import DeviceError, ProfileError
from harness.model.flow import Flow, Trouble, Unreadable
from harness.net.address import Address
from harness.store.codec import dump, load
from tests.report.flows import flow

Lease = Callable[[], Address]
SECRET = 'hunter2 "<&>" ü/+?'
WITH_SECRETS = MINIMAL.replace(
    'argv = ["{python}", "{here}/toy.py", "{address}"]',
    """\
argv = ["{python}", "{here}/toy.py", "{address}", "{secret:OF_ENV}"]
env = { PHONE = "x{secret:OF_FILE}x" }
files = ["phone.conf.j2"]
[secrets]
OF_ENV = { env = "SIPVERDICT_TEST" }
OF_FILE = { file = "kept/here" }
NOT_USED = { env = "SIPVERDICT_TEST_NOT_THERE" }
""",
)
TELLS = """
    import base64, json, os, pathlib, sys, urllib.parse
    print(sys.argv[2], os.environ["PHONE"], flush=True)
    print(pathlib.Path("phone.conf").read_text(), flush=True)
    print(json.dumps(sys.argv[2]), ascii(sys.argv[2]), urllib.parse.quote(sys.argv[2]), file=sys.stderr, flush=True)
    print(base64.b64encode(("admin:" + sys.argv[2]).encode()).decode(), file=sys.stderr, flush=True)
    print("x" * 490 + sys.argv[2], file=sys.stderr, flush=True)
    print("READY", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def profile(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setenv("SIPVERDICT_TEST", SECRET)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "here").write_text("swordfish\n")
    (tmp_path / "kept" / "here").chmod(0o640)
    return write(TELLS, WITH_SECRETS, phone__conf__j2="{{ secret.OF_ENV }} and {{ secret['OF_FILE'] }}")


def test_the_device_is_told_and_nobody_else(profile: Profile, lease: Lease) -> None:
    async def run() -> tuple[str, str]:
        async with Device(profile, address=lease()) as device:
            return device.output(200), json.dumps(device.identity())

    said, identity = asyncio.run(run())
    first, second, *_ = said.splitlines()
    assert first == "*** x***x"  # argv and environment
    assert second == "*** and ***"
    for text in (said, identity, repr(profile), str(profile.model_dump())):
        assert "hunter2" not in text
        assert "swordfish" not in text
        assert quote(SECRET) not in text
    assert base64.b64encode(b"n:" + SECRET.encode()).decode()[4:20] not in said
    assert "x" * 490 + "***" in said.splitlines(), "a line is not cut within a secret"


def test_what_the_device_gets(profile: Profile, lease: Lease, tmp_path: Path) -> None:
    (tmp_path / "toy.py").write_text(
        "import os, pathlib, sys\n"
        f"pathlib.Path({str(tmp_path / 'got')!r}).write_text('|'.join([sys.argv[2], os.environ['PHONE'], "
        "pathlib.Path('phone.conf').read_text()]))\nprint('READY', flush=True)\nsys.stdin.read()\n"
    )

    async def run() -> None:
        async with Device(profile, address=lease()):
            pass

    asyncio.run(run())
    assert (tmp_path / "got").read_text() == f"{SECRET}|xswordfishx|{SECRET} and swordfish"


def test_a_device_that_dies_does_not_tell(profile: Profile, lease: Lease, tmp_path: Path) -> None:
    (tmp_path / "toy.py").write_text("import sys\nsys.exit('cannot log in as ' + sys.argv[2])\n")

    async def run() -> None:
        async with Device(profile, address=lease()):
            pass

    with pytest.raises(DeviceError) as caught:
        asyncio.run(run())
    assert "cannot log in as ***" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "prepare", "said"),
    [
        ('{ env = "SIPVERDICT_NOT_SET" }', "", "the environment variable SIPVERDICT_NOT_SET is not set"),
        ('{ env = "SIPVERDICT_EMPTY" }', "", "the environment variable SIPVERDICT_EMPTY is empty"),
        ('{ env = "SIPVERDICT_LINES" }', "", "expected one line without control characters"),
        ('{ file = "absent" }', "", "absent cannot be read: No such file or directory"),
        ('{ file = "." }', "", "is no file"),
        ('{ file = "pipe" }', "", "is no file"),
        ('{ file = "kept" }', "", "is empty"),
        ('{ file = "kept" }', "\n", "is empty"),
        ('{ file = "kept" }', "a\nb\n", "expected one line"),
        ('{ file = "kept" }', "x" * 70_000, "is too large for a secret"),
        ('{ file = "open" }', "", "every user of this machine can read"),
    ],
)
def test_a_secret_that_is_not_there(
    reference: str, prepare: str, said: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIPVERDICT_EMPTY", "")
    monkeypatch.setenv("SIPVERDICT_LINES", "a\nb")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, mode in (("kept", 0o600), ("open", 0o644)):
        (tmp_path / name).write_text(prepare)
        (tmp_path / name).chmod(mode)
    profile = write(profile=f"{MINIMAL}[secrets]\nPIN = {reference}\n")  # loads: it is read when it is needed
    with pytest.raises(ProfileError) as caught:
        profile.secret("PIN")
    assert f"{profile.source}: secrets.PIN: " in caught.value.cause
    assert said in caught.value.cause
    assert caught.value.hint
    assert secrets.secret_values(profile) == frozenset()


def test_a_secret_of_another_name(profile: Profile) -> None:
    with pytest.raises(ProfileError, match=r"secrets\.OF_ENVY: no such secret"):
        profile.secret("OF_ENVY")
    assert profile.reveal("{secret:OF_FILE}, {host}") == "swordfish, {host}"


def test_a_start_without_the_secret(profile: Profile, lease: Lease, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIPVERDICT_TEST")

    async def run() -> None:
        async with Device(profile, address=lease()):
            pass

    with pytest.raises(ProfileError, match=r"secrets\.OF_ENV: the environment variable SIPVERDICT_TEST is not set"):
        asyncio.run(run())


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ('{ env = "SIPVERDICT_TEST" }', '"hunter2"', 'secrets.OF_ENV: expected { env = "VARIABLE" } or'),
        ('{ env = "SIPVERDICT_TEST" }', "{}", "secrets.OF_ENV: expected either"),
        ('{ env = "SIPVERDICT_TEST" }', '{ env = "A", file = "b" }', "secrets.OF_ENV: expected either"),
        ('{ env = "SIPVERDICT_TEST" }', '{ env = "hunter2!" }', "secrets.OF_ENV.env: expected the name of an"),
        ('{ env = "SIPVERDICT_TEST" }', "{ env = 4711 }", "secrets.OF_ENV.env: expected a string"),
        ("OF_ENV =", "OF-ENV =", "secrets.OF-ENV: expected a name of letters"),
        ("{secret:OF_ENV}", "{secret:OF_EVN}", "process.argv.3: {secret:OF_EVN} is not declared"),
        ('PHONE = "x{secret:OF_FILE}x"', "PASSWORD = 4711", "process.env.PASSWORD: expected a string"),
    ],
)
def test_what_is_written_in_place_of_a_reference_is_not_repeated(
    old: str, new: str, cause: str, write: Write, tmp_path: Path
) -> None:
    with pytest.raises(ProfileError) as caught:
        write(profile=WITH_SECRETS.replace(old, new, 1), phone__conf__j2="")
    assert f"{tmp_path / 'device.toml'}: {cause}" in caught.value.cause
    for text in (str(caught.value), str(caught.value.__cause__)):
        assert "hunter2" not in text
        assert "4711" not in text


def test_a_template_that_asks_for_another_one(write: Write, lease: Lease) -> None:
    profile = write(profile=MINIMAL.replace("argv", 'files = ["x.j2"]\nargv', 1), x__j2="{{ secret.NONE }}")

    async def run() -> None:
        async with Device(profile, address=lease()):
            pass

    with pytest.raises(ProfileError, match="NONE"):
        asyncio.run(run())


def test_inline_passwords_are_blanked_as_well(write: Write) -> None:
    profile = write(
        profile=MINIMAL + '[pixit]\nsip_password = "open sesame"\nline = "2001"\npin_token = 90125\n',
        phone__conf__j2="",
    )
    told = secrets.all_confidential_texts(profile)
    assert {"open sesame", "open%20sesame", "90125"} <= set(told)
    assert "2001" not in told
    assert "sesame" not in repr(profile)


def test_evidence_has_no_secret_and_keeps_its_lengths(profile: Profile) -> None:
    kept = flow((0.0, "callee", "INVITE sip:7001@127.0.0.1 SIP/2.0", ""), (0.1, "callee", "<SIP/2.0 603 Decline", ""))
    raw = kept.events[0].raw + f"X: {SECRET} swordfish".encode().decode("latin-1")
    told = replace(
        kept,
        events=(replace(kept.events[0], raw=raw), *kept.events[1:]),
        troubles=(Trouble("device", SECRET),),
        unreadable=(Unreadable("callee", SECRET.encode().decode("latin-1")),),
        lost=(replace(kept.events[0], raw=raw, fate="lost"),),
    )
    clean = blanked(told, secrets.secret_values(profile))
    assert len(clean.events[0].raw) == len(clean.lost[0].raw) == len(raw)
    for secret in ("hunter2", "swordfish"):
        assert secret.encode() in dump(told)
        assert secret.encode() not in dump(clean)
    assert clean.events[1:] == kept.events[1:]
    assert load(Flow, dump(clean), "clean") == clean
    assert blanked(kept, ["7001"]) == kept, "a short number is in all evidence"


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=6, max_size=20), st.binary(max_size=5))
def test_base64_of_a_secret_is_found_wherever_it_begins(secret: str, before: bytes) -> None:
    encoded = base64.b64encode(before + secret.encode("utf-8", "surrogateescape")).decode()
    assert redacted(encoded, secrets.all_spellings([secret])) != encoded


def test_the_spellings_of_a_secret() -> None:
    assert secrets.spellings('a "/é') >= {
        'a "/é',
        "a%20%22%2F%C3%A9",
        "a%20%22/%C3%A9",
        "a+%22%2F%C3%A9",
        'a \\"/é',
        'a \\"/\\u00e9',
        "a &quot;/é",
        'a "/\\xe9',
    }


def test_secrets_of_which_one_is_part_of_the_other() -> None:
    told = secrets.all_spellings(["swordfish", "swordfish2", "*"])
    assert redacted("swordfish2 swordfish *", told) == "*** *** ***"


def test_secrets_and_placeholders_are_told_apart() -> None:
    text = '{"a": {uri}, "b": "{secret:A_1}"} {secret:}'
    assert names_in(text) == {"uri"}
    assert secrets_in(text) == {"A_1", ""}
    assert fill(text, {"uri": "{secret:A_1}"}, {"A_1": "{uri}", "": "-"}.__getitem__) == (
        '{"a": {secret:A_1}, "b": "{uri}"} -'
    )
