"""``verdicts.jsonl`` is a contract: what is written, what survives, and what a reader refuses."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flows import HOSTILE, REDIRECTED, flow, record, ruled

from harness.errors import EvidenceError, SetupError
from harness.model.axes import CaseId
from harness.model.flow import Flow
from harness.model.verdict import Verdict
from harness.store.codec import dump, load
from harness.store.files import write_whole
from harness.store.folder import RunFolder
from harness.store.stored_run import read_run
from harness.store.stream import VerdictStream
from harness.store.verdict_lines import Declared, Header

DEVICE = Declared("reference", ("uac",), ("udp",), ("ipv4",), {"tcp": False})


def header(planned: int = 2) -> Header:
    return Header("r1", "0.1", "3.6.1", DEVICE, "standard", "certification", planned, (DEVICE,), ())


def written(folder: Path, planned: int = 2) -> Path:
    with VerdictStream(folder / "verdicts.jsonl", header(planned)) as stream:
        stream.write(record(Verdict.PASS))
        stream.write(
            record(Verdict.FAIL, "uac/b", ruled(Verdict.FAIL, actual="\0".join(HOSTILE), expected=("nothing",)))
        )
    return folder / "verdicts.jsonl"


def test_the_contract(tmp_path: Path) -> None:
    first, one, two, last = map(json.loads, written(tmp_path).read_text("ascii").splitlines())
    device = {"name": "reference", "roles": ["uac"], "transports": ["udp"], "families": ["ipv4"]}
    device |= {"pics": {"tcp": False}, "vendor": "", "model": "", "firmware": "", "serial": "", "pixit": {}}
    device |= {"faults": [], "source": ""}
    assert first == {
        "run": "r1",
        "suite": "0.1",
        "sipp": "3.6.1",
        "device": device,
        "window": "standard",
        "ruling": "certification",
        "planned": 2,
        "strict": False,
        "repeat": 1,
        "weather": "",
        "suite_commit": "",
        "suite_dirty": True,
        "suite_digest": "",
        "again": "",
        "repeated": [],
        "whole": 0,
        "rounds": 0,
        "host": "",
        "suite_mutants": "",
        "devices": [device],
        "cases": [],
    }
    assert {"purpose", "device", "role", "transport", "family", "verdict"} <= one.keys()
    assert {"requirements", "window_s", "drives", "evidence"} <= one.keys()
    assert one["evidence"] == ["flows/f1.json"]
    assert two["requirements"][0]["actual"].startswith("<script>")
    assert last == {
        "executed": 2,
        "counts": {"fail": 1, "pass": 1},
        "verdict": "fail",
        "pics": [],
        "expected": None,
        "gate": None,
        "losses": [],
        "conditions": [],
    }
    run = read_run(tmp_path)
    assert run.tally.complete
    assert run.tally.exit_status == 1
    assert run.evidence == ("f1",)


def test_every_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    stream = VerdictStream(tmp_path / "verdicts.jsonl", header())
    stream.write(record())
    assert len((tmp_path / "verdicts.jsonl").read_text().splitlines()) == 2
    with pytest.raises(EvidenceError, match=r"verdicts.jsonl, line 3: expected a footer"):
        read_run(tmp_path)
    run = read_run(tmp_path, cut_off=True)
    assert (run.footer, run.tally.complete, run.tally.exit_status) == (None, False, 2)
    with pytest.raises(ValueError, match="a second verdict"):
        stream.write(record())
    stream.close()
    assert read_run(tmp_path).tally.executed == 1
    stream.abandon()


def test_a_stream_is_never_overwritten(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(SetupError, match="cannot write"):
        VerdictStream(tmp_path / "verdicts.jsonl", header())


def test_an_error_leaves_no_footer(tmp_path: Path) -> None:
    def run() -> None:
        with VerdictStream(tmp_path / "verdicts.jsonl", header()) as stream:
            stream.write(record())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert len(read_run(tmp_path, cut_off=True).records) == 1


def test_a_killed_run_keeps_what_was_judged(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; sys.path[:0] = sys.argv[2:]\n"
        "from pathlib import Path; from test_stream import header; from flows import record\n"
        "from harness.store.stream import VerdictStream\n"
        "stream = VerdictStream(Path(sys.argv[1]) / 'verdicts.jsonl', header(9))\n"
        "for n in range(5): stream.write(record(purpose=f'p{n}'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    here = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", code, tmp_path, here, here.parent.parent], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(read_run(tmp_path, cut_off=True).records) == 5


def test_a_full_disk_loses_nothing_and_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = VerdictStream(tmp_path / "verdicts.jsonl", header(3))
    stream.write(record(purpose="a"))
    whole = stream.path.read_bytes()
    real, room = os.write, [40, 0]

    def full(file: int, data: bytes) -> int:
        if not (left := room.pop(0) if room else 0):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, data[:left])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SetupError, match=r"No space left on device\n.*free some space"):
        stream.write(record(purpose="b"))
    assert stream.path.read_bytes() == whole
    monkeypatch.setattr(os, "write", real)
    stream.write(record(purpose="c"))
    stream.close()
    assert [entry.purpose for entry in read_run(tmp_path).records] == ["a", "b", "c"]


def test_records_are_read_back_in_the_order_of_the_suite(tmp_path: Path) -> None:
    named = (("a", "x"), ("a", "y"), ("b", "x"))
    cases = tuple(CaseId(name, device, "uac", "udp", "ipv4") for name, device in named)
    planned = dataclasses.replace(header(3), cases=cases)
    with VerdictStream(tmp_path / "verdicts.jsonl", planned) as stream:
        for purpose, device in (("b", "x"), ("a", "y"), ("a", "x")):
            stream.write(record(purpose=purpose, device=device))
    read = [(entry.purpose, entry.device) for entry in read_run(tmp_path).records]
    assert read == [("a", "x"), ("a", "y"), ("b", "x")]


def test_a_disk_that_stays_full_gives_no_footer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = VerdictStream(tmp_path / "verdicts.jsonl", header())

    def full(_file: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SetupError):
        stream.close()
    assert read_run(tmp_path, cut_off=True).records == ()
    with pytest.raises(SetupError):
        VerdictStream(Path("/dev/full"), header())


def test_ctrl_c_between_writing_and_noting_it_writes_no_line_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = VerdictStream(tmp_path / "verdicts.jsonl", header(1))
    real = os.write

    def struck(file: int, data: bytes) -> int:
        real(file, data)
        monkeypatch.setattr(os, "write", real)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", struck)
    with pytest.raises(KeyboardInterrupt):
        stream.write(record())
    stream.close()
    assert len(read_run(tmp_path).records) == 1


@pytest.mark.parametrize(
    ("line", "key", "value", "message"),
    [
        (1, "planned", -1, "line 1: planned: expected greater than or equal to 0, found -1"),
        (1, "planned", None, "line 1: planned: missing"),
        (1, "window", "forever", "line 1: window: expected 'quick', 'standard' or 'extended', found 'forever'"),
        (2, "verdict", "great", "line 2: verdict: expected 'fail', "),
        (2, "evidence", ["/etc/passwd"], "line 2: evidence.0: "),
        (2, "evidence", ["flows/../../x.json"], "line 2: evidence.0: "),
        (2, "requirements", [1], "line 2: requirements.0: expected an object, found 1"),
        (2, "requirements", [{"id": "x"}], "line 2: requirements.0.level: missing"),
        (3, "purpose", "uac/decline/decline_is_final", "line 3: expected one verdict per case"),
        (3, "drives", True, "line 3: drives: expected a valid integer, found True"),
        (3, "window_s", "5", "line 3: window_s: expected a valid number, found '5'"),
        (2, "role", "phone", "line 2: role: expected 'uac', 'uas', 'proxy', 'redirect' or 'b2bua', found 'phone'"),
        (2, "device", 7, "line 2: device: expected a valid string, found 7"),
        (2, "transport", "sctp", "line 2: transport: expected 'udp', 'tcp', 'tls', 'ws', 'wss', 'udp-to-tcp', "),
        (2, "family", "ipv5", "line 2: family: expected 'ipv4' or 'ipv6', found 'ipv5'"),
        (2, "family", None, "line 2: family: missing"),
        (1, "cases", [{"purpose": "a", "device": "x"}], "line 1: cases.0.role: missing"),
        (4, "gate", {"name": "must", "status": 0, "waived": 1}, "line 4: gate.waived: expected a valid array, found 1"),
        (3, "verdict", "pass", "line 3: expected 'fail', the worst verdict of its requirements, found 'pass'"),
        (3, "verdict", "none", "line 3: expected 'fail', the worst verdict of its requirements, found 'none'"),
        (3, "verdict", "not_applicable", "line 3: expected no requirements in a verdict that is 'not_applicable'"),
        (3, "verdict", "not_tested", "line 3: expected no requirements in a verdict that is 'not_tested'"),
        (4, "counts", {"pass": 2}, "line 4: expected counts {'fail': 1, 'pass': 1}, as the lines above say"),
        (4, "executed", 3, "line 4: expected executed 2"),
        (4, "verdict", "pass", "line 4: expected verdict 'fail', as the lines above say, found 'pass'"),
    ],
)
def test_what_a_reader_refuses(tmp_path: Path, line: int, key: str, value: object, message: str) -> None:
    path = written(tmp_path)
    entries = [json.loads(text) for text in path.read_text().splitlines()]
    if value is None:
        del entries[line - 1][key]
    else:
        entries[line - 1][key] = value
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    with pytest.raises(EvidenceError) as refused:
        read_run(tmp_path)
    assert f"verdicts.jsonl, {message}" in str(refused.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("code", 7),
        ("code", "not a code"),
        ("expected", "silence"),
        ("actual", None),
        ("outcome", []),
        ("verdict", "not_applicable"),
    ],
)
def test_what_a_reader_refuses_of_a_requirement(tmp_path: Path, key: str, value: object) -> None:
    path = written(tmp_path)
    entries = [json.loads(text) for text in path.read_text().splitlines()]
    entries[2]["requirements"][0][key] = value
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    with pytest.raises(EvidenceError, match=rf"line 3: requirements\.0\.{key}: expected"):
        read_run(tmp_path)


def test_a_device_without_roles_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    first, *rest = path.read_text().splitlines(keepends=True)
    first = json.dumps(json.loads(first) | {"devices": [{"name": "reference", "pics": {}}]})
    path.write_text("".join([first + "\n", *rest]))
    with pytest.raises(EvidenceError, match=r"line 1: devices\.0\.roles: missing"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"[]\n",
        b"null\n",
        b'{"run": NaN}\n',
        b'{"run": 1, "run": 1}\n',
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
        b"9" * 10_000 + b"\n",
        b'{"run"',
    ],
)
def test_what_is_no_stream(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "verdicts.jsonl").write_bytes(content)
    for cut_off in (False, True):
        with pytest.raises(EvidenceError, match=r"verdicts\.jsonl, line 1: expected"):
            read_run(tmp_path, cut_off=cut_off)


def test_a_folder_without_a_stream(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="No such file"):
        read_run(tmp_path)


def test_half_a_last_line_is_forgiven_only_when_asked(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(EvidenceError, match="line 4: expected a whole line"):
        read_run(tmp_path)
    assert len(read_run(tmp_path, cut_off=True).records) == 2


def test_nothing_may_follow_the_footer(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(EvidenceError, match="line 5: expected nothing after the footer"):
        read_run(tmp_path)


def test_planned_but_not_executed_is_incomplete(tmp_path: Path) -> None:
    written(tmp_path, planned=3)
    tally = read_run(tmp_path).tally
    assert not tally.complete
    assert str(tally.verdict) == "fail"


def test_run_folders(tmp_path: Path) -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    one, two = (RunFolder.create(tmp_path / "out", "../Ac me\0/x", now) for _ in range(2))
    assert one.name == "20260102T030405Z-Ac-me-x"
    assert two.name == "20260102T030405Z-Ac-me-x-2"
    assert (tmp_path / "out" / "latest").readlink() == Path(two.name)
    assert two.flows.is_dir()
    assert two.allure_results.is_dir()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [one.name, two.name, "latest"]


def test_an_empty_run_leaves_nothing(tmp_path: Path) -> None:
    one = RunFolder.create(tmp_path, "a", datetime(2026, 1, 1, tzinfo=UTC))
    RunFolder.create(tmp_path, "b", datetime(2026, 1, 2, tzinfo=UTC)).discard()
    assert (tmp_path / "latest").readlink() == Path(one.name)
    one.discard()
    assert not list(tmp_path.iterdir())


def test_flows_are_stored_whole_and_read_back(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "reference")
    stored = flow(*REDIRECTED)
    folder.write_flow(stored)
    written(folder.path)
    run = read_run(folder.path)
    assert run.flow("f1") == stored
    with pytest.raises(ValueError, match="cannot be called"):
        folder.write_flow(flow(identifier="../x"))
    for identifier in ("../verdicts", "missing"):
        with pytest.raises(EvidenceError, match="flows"):
            run.flow(identifier)
    (folder.flows / "link.json").symlink_to("/etc/passwd")
    (folder.flows / "bad.json").write_text("{}")
    for identifier in ("link", "bad"):
        with pytest.raises(EvidenceError, match="expected a"):
            run.flow(identifier)


def test_text_that_is_not_utf_8_does_not_keep_a_verdict_from_being_stored(tmp_path: Path) -> None:
    with VerdictStream(tmp_path / "verdicts.jsonl", header(1)) as stream:
        stream.write(record(reason="a path: \udcff \u2028 \U0001f4de"))
    (line,) = read_run(tmp_path).records
    assert line.reason == "a path: ? \u2028 \U0001f4de"


def test_a_key_that_occurs_twice_or_a_number_that_is_none_is_refused() -> None:
    stored = dump(flow(*REDIRECTED))
    assert load(Flow, stored, "f1") == flow(*REDIRECTED)
    for content in (
        stored.replace(b'"role":"uac"', b'"role":"uac","role":"uas"'),
        stored.replace(b"1760000000.0", b"NaN"),
    ):
        with pytest.raises(EvidenceError, match="f1: expected a JSON object"):
            load(Flow, content, "f1")


def test_a_flow_of_another_format_is_refused() -> None:
    stored = dump(flow(*REDIRECTED)).replace(b'"format":1', b'"format":2')
    with pytest.raises(EvidenceError, match="f1: format: expected 1, found 2"):
        load(Flow, stored, "f1")


def test_what_to_do_about_a_place_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SetupError) as refused:
        write_whole(tmp_path / "not here" / "page.html", "x")
    assert refused.value.hint == f"make the folder first: mkdir -p '{tmp_path / 'not here'}'"
    with pytest.raises(SetupError, match="that is a folder: name a file in it"):
        write_whole(tmp_path / "folder", "x")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(SetupError, match="a file has that name: name a folder"):
            RunFolder.create(out, "reference")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot write"):
        RunFolder.create(tmp_path / "file" / "out", "reference")
    (tmp_path / "out" / "latest").mkdir(parents=True)
    with pytest.raises(SetupError, match="is a folder, not a link"):
        RunFolder.create(tmp_path / "out", "reference")
