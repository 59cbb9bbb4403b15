"""A profile that cannot be used says which key of which file is wrong, and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from device_bench import MINIMAL, Write

from harness.device import PICS, builtin_profiles, load_profile
from harness.errors import ProfileError
from harness.requirements.catalogue import Catalogue


def test_pics_are_those_of_the_catalogue() -> None:
    assert sorted(PICS) == sorted(Catalogue.load().pics)


@pytest.mark.parametrize("name", builtin_profiles())
def test_builtin_profiles_can_be_loaded(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert set(profile.all_pics()) == set(PICS)


def test_builtin_profiles_are_found_by_folder_and_by_file() -> None:
    source = load_profile("reference").source
    assert load_profile(source).name == load_profile(source.parent).name == "reference"


def test_unknown_name_lists_the_known_ones_nearest_first() -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile("barsip")
    assert "'barsip'" in caught.value.cause
    assert caught.value.hint.startswith("known: baresip, ")
    assert all(name in caught.value.hint for name in builtin_profiles())


@pytest.mark.parametrize(
    ("text", "cause", "hint"),
    [
        ("", "is empty", "sipverdict init"),
        ("[device", "is not TOML", "toml.io"),
        ("name: toy", "is not TOML", "toml.io"),
    ],
)
def test_no_profile_at_all(tmp_path: Path, text: str, cause: str, hint: str) -> None:
    path = tmp_path / "device.toml"
    path.write_text(text)
    with pytest.raises(ProfileError) as caught:
        load_profile(path)
    assert str(path) in caught.value.cause
    assert cause in caught.value.cause
    assert hint in caught.value.hint


def test_no_text_no_file_no_folder(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    for path, cause in (
        (tmp_path / "binary.toml", "not UTF-8"),
        (tmp_path / "absent.toml", "no such file"),
        (tmp_path, "holds no device.toml"),
    ):
        with pytest.raises(ProfileError, match=cause):
            load_profile(path)


@pytest.mark.parametrize(
    ("old", "new", "cause", "hint"),
    [
        # unknown keys
        ("roles", "rols", "device.rols: unknown key", "device.roles"),
        ("[ready]", "[redy]\nx = 1\n[ready]", "redy: unknown key", "ready"),
        (
            "[ready]",
            "[pics]\nfollow_redirects = true\n[ready]",
            "pics.follow_redirects: unknown key",
            "pics.follows_red",
        ),
        ("[ready]", "[lab]\nmax_calls = 3\n[ready]", "lab.max_calls: unknown key", "did you mean device.max_calls"),
        ('call = "', 'dial = "call {uri}"\ncall = "', "stimulus.dial: unknown key", "stimulus.call"),
        ("argv", "timeout_s = 1\nargv", "process.timeout_s: unknown key", "stop_timeout_s"),
        # missing keys
        ('name = "toy"', "", "device.name: missing", ""),
        ('call = "call {uri}"', "", "stimulus.call: missing", ""),
        ('kind = "stdin"', "", "stimulus.kind: missing: expected one of", ""),
        ('[ready]\nstdout = "READY"', "", "ready: expected exactly one of stdout", ""),
        # values
        ('["uac"]', '"uac"', "device.roles: expected a list; got 'uac'", ""),
        ('["uac"]', "[]", "device.roles: expected otherwise", ""),
        ('["uac"]', '["phone"]', "device.roles.0: expected 'uac'", ""),
        ('["uac"]', '["uac"]\nmax_calls = "3"', "device.max_calls: expected a whole number; got '3'", ""),
        ('["uac"]', '["uac"]\nmax_calls = 0', "device.max_calls: expected otherwise", ""),
        ('["uac"]', '["uac"]\nper_plan = "yes"', "device.per_plan: expected true or false", ""),
        ('["uac"]', '["uac"]\ntransports = ["sctp"]', "device.transports.0: expected 'udp'", ""),
        (
            '["uac"]',
            '["uac"]\ntransports = ["wss-udp"]',
            "device.transports.0: expected 'udp', 'tcp', 'tls', 'ws', 'wss' or two of them, as in 'wss-to-udp'; got",
            "",
        ),
        (
            '["uac"]',
            '["uac"]\ntransports = ["wss-to-ws"]',
            "device.transports.0: expected 'udp'",
            "a URI does not tell ws and wss apart",
        ),
        (
            '["uac"]',
            '["uac"]\ntransports = ["wss-to-udp"]',
            "device.transports: wss-to-udp: expected it of a proxy or b2bua",
            "",
        ),
        (
            '["uac"]',
            '["uac", "b2bua"]\ntransports = ["wss-to-udp"]',
            "process.called_over_argv: expected {inbound_address} in it: where it is called for wss-to-udp",
            "",
        ),
        ('["uac"]', '["uac"]\nfamilies = ["ipx"]', "device.families.0: expected 'ipv4'", ""),
        ('name = "toy"', "name = 7", "device.name: expected a string; got 7", ""),
        ("[ready]", "[pics]\ndigest = 1\n[ready]", "pics.digest: expected true or false; got 1", ""),
        ('["{python}"', '["{pyton}"', "process.argv.0: {pyton} is no placeholder", "{python}"),
        ("argv = [", "argv = []\nx = [", "process.argv: expected otherwise", ""),
        ('kind = "stdin"', 'kind = "stdn"', "stimulus.kind: expected one of stdin", ""),
        ('call = "call {uri}"', 'call = "call {uri}\\nx"', "stimulus.call: expected one line", ""),
        ("[ready]", '[lab]\naddress = "pbx.example.com:5060"\n[ready]', "lab.address: expected IPv4:port", ""),
        ("[ready]", '[lab]\naddress = "192.0.2.1"\n[ready]', "lab.address: expected IPv4:port", ""),
        ("[ready]", '[lab]\naddress = "192.0.2.1:99999"\n[ready]', "lab.address: expected IPv4:port", ""),
        ("[ready]", '[lab]\naddress = "::1:5060"\n[ready]', "lab.address: expected IPv4:port or [IPv6]:port", ""),
        (
            "[ready]",
            '[lab]\ncaller = { user = "a@b" }\n[ready]',
            "lab.caller.user: expected the user part of a SIP URI",
            "",
        ),
        ("[ready]", "[lab]\ncaller = { display = '\"' }\n[ready]", "lab.caller.display: expected printable text", ""),
        (
            "[ready]",
            '[lab]\ncaller = { asserted = "1001" }\n[ready]',
            "lab.caller.asserted: expected a SIP or tel URI",
            "",
        ),
        ("[ready]", '[over.sctp]\nlab.prefix = "9"\n[ready]', "over.sctp: expected a table [over.X], where X is", ""),
        (
            "[ready]",
            '[over.wss-to-udp]\nlab.prefix = "9"\n[ready]',
            "over.wss-to-udp: expected a table for each side: [over.wss] and [over.udp]",
            "",
        ),
        (
            "[ready]",
            "[over.tls]\ndevice.max_calls = 2\n[ready]",
            "over.tls: expected no device, no pics and no iso",
            "",
        ),
        ("[ready]", '[over.tls]\nlab.adress = "x"\n[ready]', "over.tls.lab.adress: unknown key", "lab.address"),
        ("argv", 'files = ["absent.j2"]\nargv', "process.files.0: expected a template", ""),
        ("argv", 'files = ["../x.j2"]\nargv', "process.files.0: expected the name of a file", ""),
        ("argv", 'files = ["etc/../../x.j2"]\nargv', "process.files.0: expected the name of a file", ""),
        ("argv", 'files = ["/etc/passwd"]\nargv', "process.files.0: expected the name of a file", ""),
        ("argv", 'files = ["etc/absent.j2"]\nargv', "process.files.0: expected a template", ""),
        ("argv", 'version_pattern = "["\nargv', "process.version_pattern: expected a regular expression", ""),
        # contradictions
        ('kind = "stdin"\ncall = "call {uri}"', 'kind = "sipp"', 'stimulus.kind: kind = "sipp" calls through', ""),
        ('["uac"]', '["proxy"]', 'stimulus.kind: kind = "stdin" makes the device place calls', ""),
        ("call {uri}", "call", "stimulus.call: expected {uri}", ""),
        ("call {uri}", "call {uri} {id}", "stimulus.call: {id} is no placeholder here", ""),
        ("[ready]", "[ready]\noptions = true", "ready: expected exactly one of", ""),
        ('stdout = "READY"', "control = true", "ready.control: needs the control port", ""),
        ('["uac"]', '["uac"]\nper_plan = true', "device.per_plan: expected {peer}", ""),
        ('"{address}"', '"{peer}"', "process.argv: {peer} is the callee of one plan", ""),
        ('"{address}"', '"{backup}"', "process.argv: {backup} is given: expected lab.backup", ""),
        ("[ready]", "[lab]\nbackup = true\n[ready]", "lab.backup: expected {backup} in", ""),
        ("[ready]", "[pics]\nbackup_proxy = true\n[ready]", "pics.backup_proxy: claimed, but lab.backup", ""),
        ('"{address}"', '"{exchange_2}"', "process.argv: {exchange_2} is given: expected one more", ""),
        ("[ready]", '[lab]\nfurther_exchanges = ["{lease}"]\n[ready]', "lab.further_exchanges: needs lab.exchange", ""),
        ('"{address}"', '"{resolver}"', "process.argv: {resolver} is given: expected lab.resolver", ""),
        ("[ready]", '[lab]\nresolver = "{lease}:0"\n[ready]', "lab.resolver: expected a port of 1 to 65535", ""),
        ("[ready]", '[lab]\nresolver = "ns.test"\n[ready]', "lab.resolver: expected IPv4:port", ""),
        ("argv", 'fault_argv = ["--fault"]\nargv', "process.fault_argv: expected {fault}", ""),
        ('argv = ["{python}", "{here}/toy.py", "{address}"]', "", "process.argv: missing", ""),
    ],
)
def test_one_wrong_key(write: Write, tmp_path: Path, old: str, new: str, cause: str, hint: str) -> None:
    assert old in MINIMAL
    with pytest.raises(ProfileError) as caught:
        write(profile=MINIMAL.replace(old, new, 1))
    assert f"{tmp_path / 'device.toml'}: {cause}" in caught.value.cause
    assert hint in caught.value.hint
    assert "\0" not in str(caught.value)
    assert "pydantic" not in str(caught.value).lower()


def test_a_list_whose_only_value_is_wrong_is_not_also_too_short(write: Write) -> None:
    with pytest.raises(ProfileError) as caught:
        write(profile=MINIMAL.replace('["uac"]', '["uac"]\ntransports = ["sctp"]', 1))
    assert len(caught.value.cause.splitlines()) == 1, caught.value.cause


def test_every_wrong_key_is_named_at_once(write: Write) -> None:
    with pytest.raises(ProfileError) as caught:
        write(profile=MINIMAL.replace("roles", "rols").replace("stdout", "stdot"))
    assert "device.rols" in caught.value.cause
    assert "ready.stdot" in caught.value.cause


WITHOUT_PROCESS = """
[device]
name = "desk phone"
roles = ["uac"]
[lab]
address = "192.0.2.7:5060"
tester = "192.0.2.1"
[ready]
options = true
[stimulus]
kind = "command"
call = ["true", "{uri}"]
"""


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ('"192.0.2.7:5060"', '"{lease}"', "lab.address: expected the device's IPv4:port"),
        ("[ready]", "backup = true\n[ready]", "lab.backup: expected the IPv4:port"),
        (
            "[ready]",
            'exchange = "127.0.0.8:5060"\nfurther_exchanges = ["{lease}"]\n[ready]',
            "lab.further_exchanges: expected an address of this machine",
        ),
        (
            "[ready]",
            'further_exchanges = ["a"]\n[ready]',
            "lab.further_exchanges.0: expected IPv4:port",
        ),
        ("[ready]", 'resolver = "{lease}"\n[ready]', "lab.resolver: expected an address of this machine"),
        ("options = true", 'stdout = "READY"', "ready.stdout: needs a [process]"),
        ('roles = ["uac"]', 'roles = ["uac"]\nper_plan = true', "device.per_plan: needs a [process]"),
        ('kind = "command"\ncall = ["true", "{uri}"]', 'kind = "stdin"\ncall = "{uri}"', "stimulus.kind: kind = "),
    ],
)
def test_a_device_that_the_suite_does_not_start(write: Write, old: str, new: str, cause: str) -> None:
    assert write(profile=WITHOUT_PROCESS).process is None
    with pytest.raises(ProfileError) as caught:
        write(profile=WITHOUT_PROCESS.replace(old, new, 1))
    assert cause in caught.value.cause
