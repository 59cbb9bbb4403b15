"""Cases by role, transport and family, and what an id says."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from harness.device import load_profile
from harness.device.spec import DeviceSpec
from harness.errors import SetupError
from harness.model.axes import FAMILIES, PASSAGES, ROLES, Axes, CaseId
from harness.purposes.discovery import all_purposes
from harness.purposes.purpose import applicable_rows
from harness.requirements.catalogue import PATH, Catalogue
from harness.run.items import Items
from harness.store.codec import dump, load

PURPOSE = all_purposes()["uac/decline_is_final/decline_is_final"]


def test_a_label_names_its_axes() -> None:
    assert Axes("uac").label == "uac-udp"
    assert Axes("b2bua", "wss", "ipv6").label == "b2bua-wss6"
    everything = Axes.product(ROLES, PASSAGES, FAMILIES)
    assert [Axes.named(one.label) for one in everything] == list(everything)
    assert Axes("proxy", "wss-to-udp", "ipv6").label == "proxy-wss-to-udp6"
    assert {one.role for one in everything if one.carrier.called_over} == {"proxy", "b2bua"}
    with pytest.raises(ValueError, match="as in uac-udp or uac-tcp6; got 'uac-sctp'"):
        Axes.named("uac-sctp")


def test_a_case_is_stored_by_its_fields() -> None:
    case = CaseId("uac/a/b", "sippy-b2bua", "b2bua", "udp", "ipv6")
    assert json.loads(dump(case)) == {
        "purpose": "uac/a/b",
        "device": "sippy-b2bua",
        "role": "b2bua",
        "transport": "udp",
        "family": "ipv6",
    }
    assert load(CaseId, dump(case), "a case") == case
    assert str(case) == "uac/a/b sippy-b2bua-b2bua-udp6"
    assert case.where == "sippy-b2bua, b2bua, udp, ipv6"


def test_an_item_is_looked_up_and_not_taken_apart() -> None:
    """A device may be called as if a role and a transport were part of its name."""
    profile = load_profile("reference")
    named = ("phone", "phone-uac-udp")
    items = Items(DeviceSpec(name, profile) for name in named)
    item = "suites/uac/test_decline_is_final.py::test_decline_is_final"
    for name in named:
        assert items.case(f"{item}[{name}-uac-udp]") == CaseId(PURPOSE.name, name, "uac", "udp", "ipv4")
    for other in (item, f"{item}[phone-uac-tcp]", f"{item}[NOTSET]", f"{item}[phone]"):
        assert items.case(other) is None
    assert DeviceSpec("phone", profile).axes == tuple(map(Axes, profile.device.roles))


def test_a_row_that_is_about_other_transports_does_not_apply() -> None:
    catalogue = Catalogue.load()
    claims = {"follows_redirects": True}
    assert applicable_rows(PURPOSE, catalogue, Axes("uac", "tls"), claims)[0]
    rows = {
        row: dataclasses.replace(catalogue[row], transports=("tcp", "tls"))
        if row in PURPOSE.requirements
        else catalogue[row]
        for row in catalogue.rows
    }
    reliable = dataclasses.replace(catalogue, rows=rows)
    assert applicable_rows(PURPOSE, reliable, Axes("uac"), claims) == (
        (),
        "not applicable over udp: its requirements are about tcp and tls",
    )
    assert applicable_rows(PURPOSE, reliable, Axes("uac", "tcp", "ipv6"), claims)[0] == PURPOSE.requirements


def test_every_row_of_a_purpose_can_be_asked_over_a_transport_of_the_suite() -> None:
    catalogue, driven = Catalogue.load(), set(PASSAGES)
    for purpose in all_purposes().values():
        asked = {one for plan in purpose.plans for one in plan.over or driven} if purpose.plans else driven
        for row in purpose.requirements:
            assert asked & driven & set(catalogue[row].transports), (purpose.name, row)


@pytest.mark.parametrize("transports", [[], ["sctp"]])
def test_a_row_about_no_known_transport_is_an_error_of_the_catalogue(transports: list[str], tmp_path: Path) -> None:
    stored = json.loads(PATH.read_text("utf-8"))
    stored["requirements"][0]["transports"] = transports
    path = tmp_path / "requirements.json"
    path.write_text(json.dumps(stored))
    with pytest.raises(SetupError, match=r"RFC3261-7\.2-01: transports: expected some of udp, tcp, tls, ws, wss"):
        Catalogue.load(path)
