"""Variants of a device: what they inherit, what they are called, and what is said of one that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from device_bench import MINIMAL, Write

from harness.commands import listing
from harness.device import load_profile, load_profiles
from harness.errors import ProfileError, SetupError
from harness.model.device_name import title
from harness.net.address import Carrier
from harness.run.specs import device_specs

VARIANTS = (
    MINIMAL.replace("[ready]", 'env = { A = "1", B = "2" }\nfault_argv = ["--fault", "{fault}"]\n[ready]')
    + """
[pics]
follows_redirects = true
multi_contact = true

[variant.relay]
device = { roles = ["proxy"], max_calls = 7 }
pics = { multi_contact = false, forking_proxy = true }
ready = { options = true, timeout_s = 2.0 }
stimulus = { kind = "sipp" }
process.env = { B = "3" }

[variant.phone-2]
process.argv = ["{python}", "{address}"]
stimulus.call = "dial {uri}"
"""
)


def test_what_is_different_over_a_transport_is_laid_over_the_rest(write: Write) -> None:
    over = '[over.tls]\nlab.address = "127.0.0.7:5061"\n[over.udp6]\nlab.address = "[::1]:5070"\n'
    base = write(profile=VARIANTS + over + '[variant.relay.over.tls]\nlab.prefix = "9"\n')
    _, relay, phone = load_profiles(base.source)
    assert base.over(Carrier()) is base
    assert base.over(Carrier("tls")).lab.address == phone.over(Carrier("tls")).lab.address == "127.0.0.7:5061"
    assert base.over(Carrier("udp", "ipv6")).lab.address == "[::1]:5070"
    assert relay.over(Carrier("tls")).lab.prefix == "9"
    assert relay.over(Carrier("tls")).device == relay.device
    assert base.over(Carrier("tls")).name == "toy"


def test_tables_merge_and_values_replace(write: Write) -> None:
    base = write(profile=VARIANTS)
    _, relay, phone = load_profiles(base.source)
    assert base.name == "toy"
    assert relay.name == "toy:relay"
    assert relay.device.roles == ("proxy",)
    assert relay.device.max_calls == 7
    assert {key for key, claimed in relay.all_pics().items() if claimed} == {"follows_redirects", "forking_proxy"}
    assert relay.process is not None
    assert base.process is not None
    assert relay.process.argv == base.process.argv
    assert relay.process.env == {"A": "1", "B": "3"}
    assert phone.process is not None
    assert phone.process.argv == ("{python}", "{address}")
    assert base.process.env == {"A": "1", "B": "2"}
    assert base.source == relay.source == phone.source


def test_alternatives_replace_each_other(write: Write) -> None:
    _, relay, phone = load_profiles(write(profile=VARIANTS).source)
    assert relay.stimulus.kind == "sipp"
    assert relay.ready.kind == "options"
    assert relay.ready.stdout is None
    assert phone.stimulus.kind == "stdin"
    assert phone.stimulus.call == "dial {uri}"
    assert phone.ready.stdout == "READY"


def test_one_or_all_are_named(write: Write) -> None:
    source = write(profile=VARIANTS).source
    folder = source.parent
    assert [profile.name for profile in load_profiles(source)] == ["toy", "toy:relay", "toy:phone-2"]
    assert [profile.name for profile in load_profiles(folder)] == ["toy", "toy:relay", "toy:phone-2"]
    for place in (source, folder):
        assert [profile.name for profile in load_profiles(f"{place}:relay")] == ["toy:relay"]
        assert [profile.name for profile in load_profiles(f"{place}:base")] == ["toy"]
        assert load_profile(f"{place}:phone-2").name == "toy:phone-2"
        assert load_profile(f"{place}:base").name == load_profile(place).name == "toy"


def test_a_path_with_a_colon_is_a_path(write: Write, tmp_path: Path) -> None:
    write(profile=VARIANTS)
    place = tmp_path / "a:relay"
    place.mkdir()
    (tmp_path / "device.toml").rename(place / "device.toml")
    assert load_profile(place).name == "toy"
    assert load_profile(f"{place}:relay").name == "toy:relay"


def test_a_variant_that_does_not_exist(write: Write) -> None:
    source = write(profile=VARIANTS).source
    with pytest.raises(ProfileError) as caught:
        load_profile(f"{source}:rely")
    assert caught.value.cause == f"{source}: the device has no variant 'rely'"
    assert caught.value.hint.startswith("known: relay, ")
    with pytest.raises(ProfileError, match="no variant 'proxi'"):
        load_profile("baresip:proxi")
    with pytest.raises(ProfileError, match="no device is called 'barsip'"):
        load_profile("barsip:base")
    with pytest.raises(ProfileError, match=r"absent\.toml: there is no such file"):
        load_profile("absent.toml:base")


@pytest.mark.parametrize(
    ("old", "new", "cause", "hint"),
    [
        ("forking_proxy", "forkin_proxy", "variant.relay.pics.forkin_proxy: unknown key", "pics.forking_proxy"),
        ("max_calls = 7", "max_cals = 7", "variant.relay.device.max_cals: unknown key", "device.max_calls"),
        ("max_calls = 7", 'max_calls = "7"', "variant.relay.device.max_calls: expected a whole number; got '7'", ""),
        ('"{address}"]\nstim', '"{adress}"]\nstim', "variant.phone-2.process.argv.1: {adress} is no", "{address}"),
        ('kind = "sipp"', 'kind = "sip"', "variant.relay.stimulus.kind: expected one of sipp", ""),
        ('{ kind = "sipp" }', '{ hangup = "x {uri}" }', "variant.relay.stimulus.kind: kind = ", ""),
        ("[variant.phone-2]", "[variant.phone-2]\nredy = 1", "variant.phone-2.redy: unknown key", "ready"),
        ("[variant.phone-2]", "[variant.base]", "variant.base: expected a name of small letters", ""),
        ("[variant.phone-2]", "[variant.Phone]", "variant.Phone: expected a name of small letters", ""),
        ("[variant.phone-2]", '[variant."a b"]', "variant.a b: expected a name of small letters", ""),
        ("max_calls = 7", 'name = "x"', "variant.relay.device.name: a variant is named after its table", ""),
        ("[variant.relay]", "[varient.relay]", "varient: unknown key", "the nearest is variant"),
        (
            "[variant.phone-2]",
            '[variant.phone-2]\nprocess.files = ["x.j2"]',
            "variant.phone-2.process.files.0: expected a template",
            "",
        ),
    ],
)
def test_one_wrong_key(write: Write, tmp_path: Path, old: str, new: str, cause: str, hint: str) -> None:
    assert old in VARIANTS
    with pytest.raises(ProfileError) as caught:
        write(profile=VARIANTS.replace(old, new, 1))
    assert f"{tmp_path / 'device.toml'}: {cause}" in caught.value.cause
    assert hint in caught.value.hint
    assert "\0" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "cause"), [("variant = 3", "variant: expected tables"), ("[variant]\nx = 3", "x: exp")]
)
def test_no_table_at_all(write: Write, table: str, cause: str) -> None:
    with pytest.raises(ProfileError, match=cause):
        write(profile=table + "\n" + MINIMAL)


def test_a_device_is_run_with_its_variants(write: Write) -> None:
    source = write(profile=VARIANTS).source
    assert list(device_specs([str(source)], [])) == ["toy", "toy:relay", "toy:phone-2"]
    assert list(device_specs([f"{source}:relay", f"{source}:base"], [])) == ["toy:relay", "toy"]
    with pytest.raises(SetupError, match="toy:relay is listed twice"):
        device_specs([str(source), f"{source}:relay"], [])


def test_a_fault_is_given_to_those_that_can_show_it(write: Write) -> None:
    source = str(write(profile=VARIANTS).source)
    assert list(device_specs([source], ["redials_at_once"])) == [
        "toy+redials_at_once",
        "toy:phone-2+redials_at_once",
    ]
    with pytest.raises(SetupError) as caught:
        device_specs([f"{source}:relay"], ["redials_at_once"])
    assert caught.value.cause.startswith("no device of this run can show redials_at_once: ")
    assert "toy:relay is proxy" in caught.value.hint
    with pytest.raises(SetupError, match="no fault is called 'redials_at_one'; the nearest: redials_at_once"):
        device_specs([source], ["redials_at_one"])
    with pytest.raises(SetupError, match="baresip cannot be given faults"):
        device_specs(["baresip"], ["redials_at_once"])


def test_a_fault_of_a_feature_is_given_to_those_that_claim_it() -> None:
    assert list(device_specs(["reference"], ["tries_contacts_after_603", "no_ack"])) == [
        "reference:recursing+tries_contacts_after_603",
        "reference+no_ack",
    ]
    with pytest.raises(SetupError, match="tries_contacts_after_603 shows in the role proxy with proxy_recurses_3xx"):
        device_specs(["reference:proxy"], ["tries_contacts_after_603"])


def test_two_variants_at_one_fixed_address(write: Write) -> None:
    fixed = VARIANTS.replace(
        "[variant.relay]", '[lab]\naddress = "192.0.2.7:5060"\ntester = "192.0.2.1"\n[variant.relay]', 1
    )
    source = write(profile=fixed).source
    with pytest.raises(SetupError, match=r"toy and toy:relay are both at 192\.0\.2\.7:5060"):
        device_specs([str(source)], [])
    assert list(device_specs([f"{source}:relay"], [])) == ["toy:relay"]


def test_a_run_is_called_by_what_was_asked_for() -> None:
    assert title(["a", "a:x", "a:y", "b:z"]) == "a + b:z"
    assert title(["a+f", "a:x+f", "a:y+g"]) == "a+f + a:y+g"


def test_every_variant_is_listed() -> None:
    rows = {row["device"]: row for row in listing.devices()}
    names = [name for device in ("reference", "baresip") for name in (p.name for p in load_profiles(device))]
    assert set(names) <= set(rows)
    assert all(row["roles"] and isinstance(row["pics"], list) for row in rows.values())
