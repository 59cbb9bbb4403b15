"""What is expected of a device: the file, the comparison in both directions, and the exit status."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from harness.commands.expect import steady
from harness.errors import SetupError
from harness.model.finding import Finding, Ruled
from harness.model.outcome import Tally
from harness.model.verdict import Verdict
from harness.model.windows import QUICK, STANDARD
from harness.paths import DEVICES
from harness.policy.expectations import Expectations
from harness.policy.expected_entry import Entry, Known, Reasons
from harness.policy.expected_file import file_of, load, updated
from harness.policy.expected_text import written
from harness.requirements.catalogue import Catalogue
from harness.store.verdict_lines import Compared, Deviation, RequirementLine, VerdictLine

ROWS = Catalogue.load().rows
PURPOSE, ROW, OTHER = "uac/decline_is_final/decline_is_final", "RFC3261-21.6-01", "RFC3261-8.1.3.4-02"
KAMAILIO = Path("harness/devices/kamailio/device.toml").resolve()
ENTRY = f"""
[[expected]]
purpose = "{PURPOSE}"
role = "uac"
requirement = "{ROW}"
verdict = "fail"
reason = "it is known"
"""


def known(**more: object) -> Known:
    plain = {"purpose": PURPOSE, "role": "uac", "requirement": ROW, "verdict": "fail", "reason": "it is known"}
    return Known.model_validate(plain | more)


def record(verdict: str, row: str = ROW, **more: object) -> VerdictLine:
    ruled = Ruled(Finding(row, "violated", "wrong"), "MUST", Verdict.named(verdict), "because")
    plain = {
        "purpose": PURPOSE,
        "device": "phone",
        "role": "uac",
        "transport": "udp",
        "family": "ipv4",
        "verdict": verdict,
        "reason": "because",
        "requirements": (RequirementLine.of(ruled),),
        "window_s": 5.0,
        "drives": 1,
        "evidence": (),
    }
    return VerdictLine(**plain | more)  # type: ignore[arg-type]


def skipped() -> VerdictLine:
    return replace(record("none"), verdict="not_applicable", requirements=(), drives=0)


def expecting(*entries: Known, window=QUICK, today: str = "2026-01-01") -> Expectations:  # type: ignore[no-untyped-def]
    return Expectations(
        window, {"phone": entries}, {"phone": Path("expected.toml")}, today=datetime.date.fromisoformat(today)
    )


# --- the file


def loaded(tmp_path: Path, text: str, source: Path = KAMAILIO) -> tuple[Known, ...]:
    path = tmp_path / "expected.toml"
    path.write_text(text)
    return load(path, source, ROWS)


def test_file_stands_beside_its_profile() -> None:
    assert file_of(Path("/x/device.toml")) == Path("/x/expected.toml")
    assert file_of(Path("/x/my-phone.toml")) == Path("/x/my-phone.expected.toml")


def test_file_is_read(tmp_path: Path) -> None:
    assert loaded(tmp_path, ENTRY) == (known(),)
    dated = loaded(tmp_path, ENTRY + 'variant = "recurses"\nuntil = 2027-01-31\nwindow = "standard"')
    assert dated == (known(variant="recurses", until=datetime.date(2027, 1, 31), window="standard"),)


def test_an_entry_may_be_about_several_cases(tmp_path: Path) -> None:
    lists = 'variant = ["base", "recurses"]\ntransport = ["tcp", "tls"]\nfamily = ["ipv4"]\n'
    assert loaded(tmp_path, ENTRY + lists) == (
        known(transport="tcp"),
        known(transport="tls"),
        known(variant="recurses", transport="tcp"),
        known(variant="recurses", transport="tls"),
    )


BAD = {
    "empty": ("", ("is empty", "remove it")),
    "no TOML": ("[[expected]", ("is not TOML", "sipverdict expect")),
    "no entries": ("expected = 3", ("expected tables [[expected]]", "remove the file")),
    "empty entries": ("expected = [1, 2]", ("expected tables [[expected]]",)),
    "unknown table": (f"[waiver]\n{ENTRY}", ("waiver: unknown key",)),
    "unknown key": (ENTRY + "untill = 2026-01-01", ("expected 1: untill: unknown key", "the nearest: until")),
    "missing key": (ENTRY.replace('role = "uac"\n', ""), ("expected 1: role: missing", "purpose")),
    "wrong verdict": (ENTRY.replace('"fail"', '"pass"'), ("expected 1: verdict", "'fail'", "got 'pass'")),
    "wrong date": (ENTRY + 'until = "soon"', ("expected 1: until", "date", "got 'soon'")),
    "no reason": (ENTRY.replace("it is known", ""), ("expected 1: reason", "at least 1 character")),
    "unknown purpose": (
        ENTRY.replace("decline_is_final/decline", "decline_is_final/a_decline"),
        ("no purpose is called 'uac/decline_is_final/a_decline_is_final'", f"the nearest: {PURPOSE}"),
    ),
    "path as purpose": (ENTRY.replace("uac/decline_is_final/", "../../x/"), ("no purpose is called '../../x/",)),
    "unknown requirement": (ENTRY.replace(ROW, "RFC3261-21.6-99"), ("no requirement is called", ROW)),
    "unknown variant": (ENTRY + 'variant = "recurse"', ("the device has no variant 'recurse'", "recurses")),
    "unknown transport in a list": (ENTRY + 'transport = ["tcp", "sctp"]', ("expected 1: transport:", "got 'sctp'")),
    "empty list": (ENTRY + "variant = []", ("expected 1: variant:", "at least 1 item")),
    "unknown variant in a list": (ENTRY + 'variant = ["base", "recurse"]', ("the device has no variant 'recurse'",)),
    "twice in a list": (ENTRY + 'transport = ["tcp", "udp", "tcp"]', ("is listed twice", "keep one")),
    "twice": (ENTRY * 2, ("is listed twice", "keep one")),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_a_file_is_said_in_a_sentence(tmp_path: Path, name: str) -> None:
    text, parts = BAD[name]
    with pytest.raises(SetupError) as caught:
        loaded(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(str(tmp_path / "expected.toml"))
    assert all(part in said for part in parts), said
    assert len(said.splitlines()) == 2
    assert "pydantic" not in said


def test_files_that_are_none(tmp_path: Path) -> None:
    for path, said in ((tmp_path, "cannot be read"), (tmp_path / "none", "cannot be read")):
        with pytest.raises(SetupError, match=said):
            load(path, KAMAILIO, ROWS)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SetupError, match="is not UTF-8"):
        load(tmp_path / "binary", KAMAILIO, ROWS)
    (tmp_path / "huge").write_bytes(b"#" * (1 << 20) + b"##")
    with pytest.raises(SetupError, match="is larger than"):
        load(tmp_path / "huge", KAMAILIO, ROWS)


# --- a run against it


CASES = {
    # what is expected, what came -> the kind, and the exit status without and with --expected
    "as expected": ((known(),), (record("fail"),), [], 1, 0),
    "unexpected fail": ((), (record("fail"),), ["worse"], 1, 1),
    "unexpected warning": ((), (record("warn"),), ["worse"], 2, 2),
    "a fail that was a warning": ((known(verdict="warn"),), (record("fail"),), ["worse"], 1, 1),
    "improved": ((known(),), (record("pass"),), ["better"], 2, 2),
    "improved somewhat": ((known(),), (record("warn"),), ["better"], 2, 2),
    "could not be told": ((known(),), (record("inconclusive"),), ["missing"], 2, 2),
    "unexpectedly inconclusive": ((), (record("inconclusive"),), ["worse"], 2, 2),
    "no longer applies": (
        (known(),),
        (skipped(),),
        ["missing"],
        2,
        2,
    ),
    "not asked": ((known(purpose="uac/x/y"),), (record("pass"),), [], 0, 0),
    "another requirement of the purpose": ((known(requirement=OTHER),), (record("pass"),), ["missing"], 2, 2),
    "in longer windows only": ((known(window="standard"),), (record("pass"),), [], 0, 0),
    "seen too early": ((known(window="standard"),), (record("fail"),), ["worse"], 1, 1),
    "expected no longer": ((known(until=datetime.date(2025, 12, 31)),), (record("fail"),), ["worse"], 1, 1),
    "expected until today": ((known(until=datetime.date(2026, 1, 1)),), (record("fail"),), [], 1, 0),
    "not tested": ((known(),), (record("inconclusive", drives=0, requirements=()),), [], 2, 2),
}


@pytest.mark.parametrize("name", CASES)
def test_deviations_and_exit_status(name: str) -> None:
    entries, records, kinds, plain, forgiving = CASES[name]
    expectations = expecting(*entries)
    tally = Tally.of((one.verdict for one in records), len(records))
    # A case that does not apply leaves nothing to conform: something else passes in the same run.
    if name == "no longer applies":
        records = (*records, record("pass", purpose="uac/x/y"))
        tally = Tally.of((one.verdict for one in records), len(records))
    assert [one.kind for one in expectations.deviations(records)] == kinds
    assert expectations.exit_status(tally.exit_status, tally, records, forgive=False) == plain
    assert expectations.exit_status(tally.exit_status, tally, records, forgive=True) == forgiving


def test_run_that_is_not_complete_is_never_forgiven() -> None:
    tally = Tally.of(["fail"], 2)
    assert expecting(known()).exit_status(tally.exit_status, tally, [record("fail")], forgive=True) == 2


def test_device_without_a_file_is_not_forgiven() -> None:
    records = [record("fail"), record("fail", device="other")]
    tally = Tally.of(["fail"] * 2, 2)
    assert expecting(known()).exit_status(tally.exit_status, tally, records, forgive=True) == 1


def test_what_is_said_of_a_deviation() -> None:
    (one,) = expecting(known(until=datetime.date(2025, 12, 31))).deviations([record("fail")])
    assert one.sentence == (f"phone  {ROW}  {PURPOSE} (uac): expected pass, got fail (expected until 2025-12-31)")
    one = Deviation("phone", PURPOSE, "uac", "udp", "ipv4", ROW, "fail", "pass", "better")
    assert expecting(known()).footer([record("pass")]) == Compared("expected.toml", 0, (one,))


# --- writing it


def test_update_keeps_what_people_wrote_and_what_was_not_run() -> None:
    case, elsewhere = known().case, known(purpose="uac/x/y")
    again = known(reason="as the machine words it")
    assert updated([known(), elsewhere], [again], [case], QUICK) == [known(), elsewhere]
    assert updated([known(), elsewhere], [], [case], QUICK) == [elsewhere]
    assert updated([known()], [], [], QUICK) == [known()]


def test_update_knows_in_which_window_something_shows() -> None:
    case, late = known().case, known(window="standard")
    assert updated([], [late], [case], STANDARD) == [late]
    assert updated([late], [], [case], QUICK) == [late]
    assert updated([late], [], [case], STANDARD) == []
    assert updated([late], [known()], [case], QUICK) == [known()]
    assert updated([known()], [late], [case], STANDARD) == [known()]


def test_update_from_a_short_window_keeps_what_shows_in_a_longer_one() -> None:
    case, late = known().case, known(window="standard", reason="redials after 32 s")
    early = known(verdict="warn", reason="a SHOULD")
    assert updated([early, late], [early], [case], QUICK) == [early, late]
    assert updated([late], [early], [case], QUICK) == [early, late]
    assert updated([early, late], [], [case], QUICK) == [late]
    assert updated([early, late], [early], [case], STANDARD) == [early], "the standard window decides both"


def test_update_from_a_long_window_keeps_what_a_shorter_one_leaves_open() -> None:
    case, late = known().case, known(verdict="warn", window="standard")
    open_ = known(verdict="inconclusive", reason="it may yet come")
    assert updated([open_], [late], [case], STANDARD) == [open_, late]
    assert updated([open_], [], [case], STANDARD) == [open_]
    assert updated([open_], [], [case], QUICK) == []


def test_what_is_written_can_be_read_whatever_a_device_said(tmp_path: Path) -> None:
    said = 'a "quote"\\ \x1b[31m \u202e \x7f <script> ' + "x" * 500 + " ]]\n[[expected]]"
    entries = [known(reason=steady(said), until=datetime.date(2027, 1, 31)), known(requirement=OTHER)]
    text = written("phone\n[evil]", entries)
    assert _of(text) == entries
    assert text.isprintable() is False  # line ends
    assert "\x1b" not in text
    assert "\x7f" not in text


BY_HAND = """\
# Our phone.

# Reported to the vendor as 4711.
# They answered: next release.
[[expected]] # seen by us
purpose = "uac/decline_is_final/decline_is_final"
# it rings twice
role = "uac"
transport = "udp"
requirement = "RFC3261-21.6-01"
verdict = "fail"
reason = 'it calls again' # ours
until = 2027-01-31

# Not so bad.
[[expected]]
purpose = "uac/decline_is_final/decline_is_final"
role = "uac"
requirement = "RFC3261-9.1-01"
verdict = "warn"
reason = "a CANCEL"

# That is all.
"""


def _of(text: str) -> list[Known]:
    return [one for entry in tomllib.loads(text)["expected"] for one in Entry.model_validate(entry).known]


def test_what_people_wrote_stays_as_they_wrote_it() -> None:
    assert written("phone", _of(BY_HAND), BY_HAND) == BY_HAND


def test_comments_go_with_their_entry() -> None:
    bad, mild = _of(BY_HAND)
    more = known(requirement=OTHER)
    changed = bad.model_copy(update={"verdict": "warn", "until": None, "window": "standard"})
    text = written("phone", [more, mild, changed], BY_HAND)
    assert _of(text) == [more, mild, changed]
    parts = text.split("\n\n")
    assert parts[0] == "# Our phone."
    assert not any("#" in line for line in parts[1].splitlines())
    assert parts[2].startswith("# Not so bad.\n[[expected]]\n")
    assert parts[3].startswith("# Reported to the vendor as 4711.\n# They answered: next release.\n[[expected]] # seen")
    assert "# it rings twice\n" in parts[3]
    assert "reason = 'it calls again' # ours\n" in parts[3]
    assert parts[4] == "# That is all.\n"


def test_what_is_alike_is_written_once() -> None:
    several = [known(variant=v, transport=t) for v in ("base", "recurses") for t in ("udp", "tls")]
    others = [known(requirement=OTHER, transport="tls"), known(requirement=OTHER, transport="tcp", reason="another")]
    text = written("phone", [*several, *others])
    assert text.count("[[expected]]") == 3
    assert 'transport = ["udp", "tls"]\nvariant = ["base", "recurses"]\n' in text
    assert _of(text) == [*several, *others]
    assert written("phone", _of(text), text) == text


def test_what_is_seen_over_another_transport_has_the_reason_that_is_there() -> None:
    reasons = Reasons([known(reason="as we found out")])
    assert reasons.given_to(known(transport="tcp", reason="3 copies")).reason == "as we found out"
    assert reasons.given_to(known(transport="tcp", verdict="warn", reason="3 copies")).reason == "3 copies"
    assert reasons.given_to(known(transport="tls", verdict="warn", reason="5 copies")).reason == "3 copies"


def test_what_is_new_joins_what_is_known_and_what_is_gone_leaves_it() -> None:
    bad, mild = _of(BY_HAND)
    over_tcp = bad.model_copy(update={"transport": "tcp"})
    text = written("phone", [bad, over_tcp, mild], BY_HAND)
    assert 'transport = ["udp", "tcp"]\n' in text
    assert text.replace('["udp", "tcp"]', '"udp"') == BY_HAND, "its comments stay"
    assert written("phone", [bad, mild], text) == BY_HAND.replace('transport = "udp"\n', ""), "it is the default"
    assert _of(written("phone", [over_tcp, mild], text)) == [over_tcp, mild]


def test_what_changes_in_one_case_gets_an_entry_of_its_own() -> None:
    cases = [known(transport=t) for t in ("udp", "tcp", "tls")]
    before = "# ours\n\n# 4711\n" + written("phone", cases).partition("\n\n")[2]
    worse = cases[1].model_copy(update={"verdict": "warn"})
    text = written("phone", [cases[0], worse, cases[2]], before)
    assert sorted(_of(text), key=str) == sorted([cases[0], worse, cases[2]], key=str)
    assert "# 4711\n[[expected]]" in text
    assert 'transport = ["udp", "tls"]' in text


def test_comments_of_an_entry_that_is_gone_are_gone() -> None:
    _, mild = _of(BY_HAND)
    text = written("phone", [mild], BY_HAND)
    assert _of(text) == [mild]
    assert "4711" not in text
    assert text.startswith("# Our phone.\n\n# Not so bad.\n[[expected]]")
    assert text.endswith("\n\n# That is all.\n")


@pytest.mark.parametrize("path", sorted(DEVICES.glob("*/expected.toml")), ids=lambda path: path.parent.name)
def test_a_file_in_which_nothing_changes_is_not_changed(path: Path) -> None:
    text = path.read_text("utf-8")
    assert written("x", _of(text), text) == text


def test_reason_does_not_change_from_run_to_run() -> None:
    reasons = {
        steady(f"INVITE sip:9{token}@{host}:5060 arrived")
        for token, host in (("73560003", "127.180.0.5"), ("71230009", "127.9.1.7"))
    }
    assert reasons == {"INVITE sip:TOKEN@ADDRESS arrived"}
