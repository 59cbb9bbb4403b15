"""Whatever is given as a profile: no hang, no traceback, no terminal that is steered; one sentence and what to do."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from device_bench import MINIMAL, Write

from harness.device import Device, load_profile
from harness.device.profile.reading import read_toml
from harness.errors import ProfileError
from harness.net.address import Address

TEXTS = {
    "comments only": ("# nothing", "is empty", "sipverdict init"),
    "a key twice": ("[device]\nname = 'a'\nname = 'b'", "is not TOML", "a key or a table is defined twice"),
    "a table twice": ("[device]\nname = 'a'\n[device]\n", "is not TOML", "a key or a table is defined twice"),
    "NUL": (MINIMAL + "\0", "is not TOML", "toml.io"),
    "a number without an end": ("x = " + "9" * 5000, "is not TOML", "toml.io"),
    "open brackets": ("x = " + "[" * 50_000, "more than 12 deep", "docs/profile.md"),
    "lists in lists": ("x = " + "[" * 20 + "]" * 20, "more than 12 deep", "docs/profile.md"),
    "a key of 20 parts": (".".join("a" * 20) + " = 1", "more than 12 deep", "docs/profile.md"),
    "a key of 400,000 parts": (".".join("a" * 400_000) + " = 1", "line 1 has more than 200 dots", "three at most"),
    "1.1 MB": ("x = '" + "y" * 1_100_000 + "'", "is not a profile: it has 1,100,006 bytes", "at most 1,048,576"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_is_no_profile(name: str, tmp_path: Path) -> None:
    text, cause, hint = TEXTS[name]
    path = tmp_path / "device.toml"
    path.write_text(text)
    with pytest.raises(ProfileError) as caught:
        load_profile(path)
    assert f"{path}: " in caught.value.cause
    assert cause in caught.value.cause
    assert hint in caught.value.hint
    assert len(str(caught.value)) < 500


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"[device]\nname = \x80\x81\x00")
    (tmp_path / "utf-16.toml").write_bytes(MINIMAL.encode("utf-16"))
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.toml"))
    for path, cause in (
        (tmp_path / "binary.toml", r"not UTF-8 text \(line 2\)"),
        (tmp_path / "utf-16.toml", "is UTF-16, not UTF-8 text"),
        (tmp_path / "loop.toml", "a symbolic link that leads back to itself"),
        (tmp_path / "folder.toml", "holds no device.toml"),
        (tmp_path / "pipe.toml", "is a named pipe, not a file"),
        (tmp_path / "socket.toml", "is a socket, not a file"),
        ("/dev/zero", "is a device file, not a file"),
        (tmp_path / "absent.toml", "no such file"),
        (tmp_path / "binary.toml" / "x.toml", "no such file"),
        (tmp_path, "holds no device.toml"),
        ("~nobody-has-this-name/x.toml", "is not a path"),
        ("x" * 5000, "is too long for a path"),
        ("", "no device is called ''"),
        ("a\x1b[31mb", "no device is called 'a"),
    ):
        with pytest.raises(ProfileError, match=cause) as caught:
            load_profile(path)
        assert len(str(caught.value).splitlines()) <= 2
        assert "\x1b" not in str(caught.value)


def test_a_pipe_that_has_come_to_be_there_does_not_hang(tmp_path: Path) -> None:
    """It is a file when it is looked for, and none when it is read."""
    os.mkfifo(tmp_path / "device.toml")
    with pytest.raises(ProfileError, match="is a named pipe, not a file"):
        read_toml(tmp_path / "device.toml")


def test_a_file_that_may_not_be_read() -> None:
    # Not in tmp_path: its folder is root's own, and nobody is asked for what is in it.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "device.toml"
        path.write_text(MINIMAL)
        path.chmod(0)
        Path(folder).chmod(0o755)
        with as_nobody(), pytest.raises(ProfileError, match="cannot be read: Permission denied") as caught:
            load_profile(path)
        assert str(path) in caught.value.cause
        Path(folder).chmod(0)
        with as_nobody(), pytest.raises(ProfileError, match="cannot be read: Permission denied"):
            load_profile(path)
        Path(folder).chmod(0o700)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything: for a moment this process is not root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_byte_order_mark_is_no_mistake(write: Write) -> None:
    assert write(profile="\ufeff" + MINIMAL).name == "toy"
    assert write(profile=MINIMAL.replace("\n", "\r\n")).name == "toy"


WRONG_KEYS = [
    ('["uac"]', '["uac"]\nmax_calls = inf', "device.max_calls: expected a whole number; got inf", ""),
    ("[ready]", "[pixit]\nx = nan\n[ready]", "pixit.x: expected a finite number", ""),
    ("[ready]", "[pixit]\nx = inf\n[ready]", "pixit.x: expected a finite number", ""),
    ("[ready]", "[pixit]\nx = 2020-01-01\n[ready]", "pixit.x: expected a string, a number, true or false", ""),
    ("[ready]", "[pixit]\nx = [1]\n[ready]", "pixit.x: expected a string, a number, true or false", ""),
    ("[ready]", "[ready]\ntimeout_s = nan", "ready.timeout_s: expected otherwise", ""),
    ('["uac"]', '["uac"]\nserial = 7', "device.serial: expected a string; got 7", ""),
    ("[device]", "vendr = 3\n[device]", "vendr: unknown key", "device.vendor"),
    ("[ready]", "lab = 3\n[ready]", "process.lab: unknown key", "[lab] is a table of its own"),
    ("[ready]", '[lab.numbers]\ndeclined = "sip:1@{device}"\n[ready]', "lab.numbers.declined: no such number", ""),
    (
        "[ready]",
        '[lab.numbers]\ndeclines = "sip:{tokn}@{device}"\n[ready]',
        "lab.numbers.declines: {tokn} is no placeholder here; there are {device}, {token}",
        "the nearest is {token}",
    ),
    ("[ready]", '[lab.numbers]\ndeclines = "600"\n[ready]', "lab.numbers.declines: expected a SIP URI", ""),
    ("[ready]", '[secrets.A]\nevn = "X"\n[ready]', "secrets.A.evn: unknown key", "the nearest is secrets.A.env"),
    ("[ready]", '"\\u001b[2J" = 1\n[ready]', 'process."\ufffd[2J": unknown key', ""),
    ("[ready]", "[variant.x.device]\nrols = []\n[ready]", "variant.x.device.rols: unknown key", "device.roles"),
    ("call {uri}", "call {secret:PIN} {uri}", "stimulus.call: {secret:PIN} is not declared", ""),
    # contradictions
    ('["uac"]', '["uac", "uac"]', 'device.roles: "uac" is listed twice', ""),
    ('["uac"]', '["uac", "proxy", "b2bua"]', 'device.roles: "proxy" and "b2bua" contradict each other', ""),
    (
        '["uac"]',
        '["uac", "proxy", "redirect"]\n[lab]\nregistrar = true',
        'device.roles: "proxy" and "redirect" contradict each other if both are called',
        "",
    ),
    ("[ready]", "[pics]\nproxy_recurses_3xx = true\n[ready]", "pics.proxy_recurses_3xx: claimed, but device.r", ""),
    ("[ready]", "[pics]\nforking_proxy = true\n[ready]", 'expected "proxy" or "b2bua" among the roles', ""),
    ("[ready]", "[pics]\nredirect_server = true\n[ready]", "pics.redirect_server: claimed, but device.roles", ""),
    (
        "[ready]",
        "[pics]\nmulti_contact = true\n[ready]",
        "pics.multi_contact: claimed without the key that it refines",
        "",
    ),
    (
        '["uac"]',
        '["uac", "proxy"]\n[pics]\nstateful_proxy = true\nstateless_proxy = true',
        "pics.stateless_proxy: claimed together with stateful_proxy",
        "",
    ),
]


@pytest.mark.parametrize(("old", "new", "cause", "hint"), WRONG_KEYS)
def test_one_wrong_key(write: Write, tmp_path: Path, old: str, new: str, cause: str, hint: str) -> None:
    assert old in MINIMAL
    with pytest.raises(ProfileError) as caught:
        write(profile=MINIMAL.replace(old, new, 1))
    assert caught.value.cause.startswith(f"{tmp_path / 'device.toml'}: ")
    assert cause in caught.value.cause
    assert hint in caught.value.hint
    assert len(caught.value.cause.splitlines()) == 1
    assert "\0" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_so_many_wrong_keys_are_not_told_one_by_one(write: Write) -> None:
    with pytest.raises(ProfileError) as caught:
        write(profile=MINIMAL + "".join(f"key{number} = 1\n" for number in range(20_000)))
    assert len(caught.value.cause.splitlines()) == 11
    assert caught.value.cause.endswith("and 19990 more of the kind")


def test_a_key_without_an_end(write: Write) -> None:
    with pytest.raises(ProfileError) as caught:
        write(profile=MINIMAL + f"{'k' * 500_000} = '{'v' * 300_000}'\n")
    assert len(str(caught.value)) < 1000


def test_roles_that_do_not_contradict_each_other(write: Write) -> None:
    """A proxy that redirects one number; claims about the product that none of its roles shows."""
    more = """
[lab]
registrar = true
numbers = { redirects = "sip:302{token}@{device}" }
[pics]
forking_proxy = true
call_forwarding = true
tls = true
"""
    profile = write(profile=MINIMAL.replace('["uac"]', '["uac", "uas", "proxy", "redirect"]') + more)
    assert profile.claims("forking_proxy")


def test_a_number_is_data_whatever_stands_in_it(write: Write, tmp_path: Path) -> None:
    """No shell is ever given it: what a command gets is the URI, letter by letter."""
    number = "sip:603$(touch${IFS}x);`id`|&&'\"*~!#{token}@{device}".replace("${IFS}", "$IFS")
    script = 'import sys; open(sys.argv[1], "w").write(sys.argv[2])'
    command = f"kind = 'command'\ncall = ['{sys.executable}', '-c', '{script}', '{tmp_path}/said', '{{uri}}']"
    text = MINIMAL.replace('["uac"]', '["uac", "uas"]').replace('kind = "stdin"\ncall = "call {uri}"', command)
    waits = "import sys\nprint('READY', flush=True)\nsys.stdin.read()"
    profile = write(waits, f"{text}\n[lab.numbers]\ndeclines = '''{number}'''\n")
    assert profile.lab.numbers["declines"] == number
    uri = number.replace("{token}", "7001").replace("{device}", "127.0.0.1:5060")

    async def call() -> None:
        async with Device(profile, address=Address("127.0.0.1", 5099)) as device:
            await device.call(uri)

    asyncio.run(call())
    assert (tmp_path / "said").read_text() == uri
    assert sorted(path.name for path in tmp_path.iterdir()) == ["device.toml", "said", "toy.py"]
