"""A dossier that was tampered with is found out, whatever was done to it, and what was done is named."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from handmade import CATALOGUE, FINAL, PURPOSES, WAIVED, WHOLE, Maker, parts_of, redials
from securesystemslib.signer import CryptoSigner

from harness.commands.verify import verify as command
from harness.evidence import dossier
from harness.evidence.envelope import open_envelope, sign
from harness.evidence.keys import load_private, load_public, public_pem
from harness.evidence.pack import pack
from harness.evidence.verify import Verified, verify
from harness.model.outcome import Tally
from harness.store.codec import dump
from harness.store.stored_run import StoredRun

Parts = dict[str, bytes]


def checked(tmp_path: Path, parts: Parts, keys: Path | None) -> Verified:
    path = tmp_path / "dossier.tar.gz"
    path.write_bytes(pack(parts))
    return verify(path, load_public(keys / "lab.pub") if keys else None, CATALOGUE, PURPOSES)


def lines(parts: Parts) -> list[Any]:
    return [json.loads(line) for line in parts[dossier.VERDICTS].splitlines()]


def with_lines(parts: Parts, entries: list[Any]) -> Parts:
    return parts | {dossier.VERDICTS: "".join(json.dumps(entry) + "\n" for entry in entries).encode()}


def recounted(entries: list[Any]) -> list[Any]:
    """The footer as the lines say, so that only the thing itself is wrong."""
    tally = Tally.of((entry["verdict"] for entry in entries[1:-1]), entries[0]["planned"])
    entries[-1] |= {"executed": tally.executed, "counts": tally.counts, "verdict": str(tally.verdict)}
    return entries


def a_flow(parts: Parts) -> str:
    return next(name for name in sorted(parts) if name.startswith("flows/"))


def test_a_dossier_that_stands(tmp_path: Path, parts: Parts, keys: Path) -> None:
    found = checked(tmp_path, parts, keys)
    assert found.problems == ()
    assert (found.records, found.flows) == (10, 5)
    assert found.details is not None
    assert found.details["profile"] == "tiny"
    assert checked(tmp_path, parts, None).problems == ()


def test_equal_runs_pack_to_equal_bytes(run: StoredRun, signer: CryptoSigner, parts: Parts) -> None:
    assert pack(parts_of(run, signer)) == pack(dict(reversed(parts.items())))


def test_sha256sum_agrees(tmp_path: Path, parts: Parts) -> None:
    for name, content in parts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    subprocess.run(["sha256sum", "--strict", "--quiet", "-c", dossier.SUMS], cwd=tmp_path, check=True)


# --- what somebody may do to a dossier who has not got the key


def byte_in_a_flow(parts: Parts) -> Parts:
    name = a_flow(parts).replace(".json", ".record")
    return parts | {name: parts[name].replace(b"Supported: timer", b"Supported: tamer", 1)}


def verdict_flipped(parts: Parts) -> Parts:
    entries = lines(parts)
    entries[1]["verdict"] = entries[1]["requirements"][0]["verdict"] = "warn"
    return with_lines(parts, recounted(entries))


def purpose_removed(parts: Parts) -> Parts:
    entries = lines(parts)
    del entries[2]
    return with_lines(parts, recounted(entries))


def footer_removed(parts: Parts) -> Parts:
    return with_lines(parts, lines(parts)[:-1])


def file_added(parts: Parts) -> Parts:
    return parts | {"flows/extra.json": parts[a_flow(parts)]}


def file_removed(parts: Parts) -> Parts:
    return {name: content for name, content in parts.items() if name != a_flow(parts)}


def window_changed(parts: Parts) -> Parts:
    entries = lines(parts)
    entries[0]["window"] = "extended"
    return with_lines(parts, entries)


def flows_swapped(parts: Parts) -> Parts:
    one, two = sorted(name for name in parts if name.endswith(".json") and name.startswith("flows/"))[:2]
    return parts | {one: parts[two], two: parts[one]}


def evidence_swapped(parts: Parts) -> Parts:
    entries = lines(parts)
    one, two = (next(e for e in entries[1:-1] if e["purpose"] == name) for name in (FINAL, CALLED))
    one["evidence"], two["evidence"] = two["evidence"], one["evidence"]
    return with_lines(parts, entries)


CALLED = "uac/redirect_is_followed/contact_is_called"


def payload_changed(parts: Parts) -> Parts:
    envelope = json.loads(parts[dossier.ENVELOPE])
    payload = base64.b64decode(envelope["payload"]).replace(b'"PASSED"', b'"WARNED"')
    envelope["payload"] = base64.b64encode(payload).decode()
    return parts | {dossier.ENVELOPE: json.dumps(envelope).encode()}


def hash_list_changed(parts: Parts) -> Parts:
    return parts | {dossier.SUMS: parts[dossier.SUMS].replace(b"a", b"b", 1)}


def statement_changed(parts: Parts) -> Parts:
    return parts | {dossier.STATEMENT_HTML: parts[dossier.STATEMENT_HTML].replace(b"Acme", b"Best")}


def key_changed(parts: Parts) -> Parts:
    return parts | {dossier.KEY: public_pem(CryptoSigner.generate_ed25519())}


def no_envelope(parts: Parts) -> Parts:
    return {name: content for name, content in parts.items() if name != dossier.ENVELOPE}


TAMPERED: dict[Callable[[Parts], Parts], tuple[str, ...]] = {
    byte_in_a_flow: (
        "flows/phone-uac-0000.record was changed: its hash is not the one in SHA256SUMS",
        "phone-uac-0000.record: expected the digest of what it holds",
    ),
    verdict_flipped: (
        "verdicts.jsonl was changed",
        "judged again, a verdict differs: uac/decline_is_final/decline_is_final (phone, uac, udp): stored warn,",
    ),
    purpose_removed: (
        "the run is incomplete: no verdict for transaction/completed/decline_needs_no_ringing_before_it phone-uac-udp",
        "the run is inconsistent: the header plans",
    ),
    footer_removed: ("dossier.tar.gz/verdicts.jsonl, line 12: expected a footer",),
    file_added: ("flows/extra.json was added: SHA256SUMS", "flows/extra.json is not evidence"),
    file_removed: (
        "flows/phone-uac-0000.json was removed",
        "flows/phone-uac-0000.json is missing: a verdict uses it",
    ),
    window_changed: ("is of another window (standard) than the record or the run (extended)",),
    flows_swapped: ("flows/phone-uac-0000.json holds the flow 'phone-uac-0001'",),
    evidence_swapped: ("is of another plan", "verdicts.jsonl was changed"),
    payload_changed: ("attestation.dsse.json: its signature is wrong",),
    hash_list_changed: ("SHA256SUMS was changed: its hash is not the one in the signed attestation",),
    statement_changed: ("statement.html was changed", "statement.html differs from what the evidence shows"),
    key_changed: ("key.pub is not the key that you named", "key.pub was changed"),
    no_envelope: ("attestation.dsse.json is missing", "attestation.dsse.json: it is no DSSE envelope"),
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
def test_what_was_tampered_with_is_named(
    tamper: Callable[[Parts], Parts], tmp_path: Path, parts: Parts, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = checked(tmp_path, tamper(parts), keys)
    for sentence in TAMPERED[tamper]:
        assert any(sentence in problem for problem in found.problems), found.problems
    assert all("\n" not in problem for problem in found.problems)
    assert command(tmp_path / "dossier.tar.gz", keys / "lab.pub") == 4
    assert "not valid" in capsys.readouterr().err


# --- what somebody may do who has a key: hashes and signature are right, and the evidence has the last word


def resealed(parts: Parts, signer: CryptoSigner, old: CryptoSigner) -> Parts:
    """``parts`` with hashes and a signature that fit them."""
    predicate = open_envelope(parts[dossier.ENVELOPE], old.public_key)["predicate"]
    bare = {n: c for n, c in parts.items() if n not in (dossier.SUMS, dossier.ENVELOPE)}
    return dossier.seal(bare | {dossier.KEY: public_pem(signer)}, predicate, signer)


def test_signed_again_with_another_key(tmp_path: Path, parts: Parts, keys: Path, signer: CryptoSigner) -> None:
    other = load_private(keys / "other.key")
    found = checked(tmp_path, resealed(parts, other, signer), keys)
    assert "key.pub is not the key that you named" in found.problems
    assert any(f"is signed by {other.public_key.keyid}, not by {signer.public_key.keyid}" in p for p in found.problems)
    # Who names no key learns by whose it is signed, and that it speaks of another one.
    unnamed = checked(tmp_path, resealed(parts, other, signer), None)
    assert unnamed.key == other.public_key.keyid
    assert unnamed.problems == ("statement.html differs from what the evidence shows",)


def purpose_gone_without_trace(parts: Parts) -> Parts:
    entries = lines(parts)
    gone = entries.pop(1)
    entries[0]["planned"] -= 1
    entries[0]["cases"] = [case for case in entries[0]["cases"] if case["purpose"] != gone["purpose"]]
    return with_lines(parts, recounted(entries))


def reason_changed(parts: Parts) -> Parts:
    entries = lines(parts)
    entries[1]["requirements"][0]["actual"] = "silent for 70 s"
    return with_lines(parts, entries)


def drives_changed(parts: Parts) -> Parts:
    entries = lines(parts)
    entries[1]["drives"] = 2
    return with_lines(parts, entries)


def pics_changed(parts: Parts) -> Parts:
    entries = lines(parts)
    entries[0]["devices"][0]["pics"]["dns"] = True
    return with_lines(parts, entries)


def made_not_applicable(parts: Parts) -> Parts:
    entries = lines(parts)
    entries[1] |= {"verdict": "not_applicable", "evidence": [], "requirements": [], "drives": 0}
    return with_lines(parts, recounted(entries))


def silence_broken(parts: Parts) -> Parts:
    """A guard that was bound too late: the verdict rests on a silence that is not proven."""
    return {
        name: content.replace(b'"bound_at":999.0', b'"bound_at":1999.0') if name.startswith("flows/") else content
        for name, content in parts.items()
    }


def control_lost(parts: Parts) -> Parts:
    """A positive control in a flow that the dossier does not hold."""
    name = a_flow(parts)
    own = name.removeprefix("flows/").removesuffix(".json").encode()
    return parts | {name: parts[name].replace(b'"flow":"' + own, b'"flow":"smoke', 1)}


def wrong_type(parts: Parts) -> Parts:
    return parts | {(name := a_flow(parts)): parts[name].replace(b'"cap":20', b'"cap":"one"', 1)}


INVARIANT = "invariants/acks/every_ack_of_a_refusal_is_made_of_its_invite"


def invariant_finding_removed(parts: Parts) -> Parts:
    """One of the requirements that the invariant says something of is gone."""
    entries = lines(parts)
    entry = next(entry for entry in entries[1:-1] if entry["purpose"] == INVARIANT)
    del entry["requirements"][1]
    return with_lines(parts, entries)


def invariant_made_untested(parts: Parts) -> Parts:
    entries = lines(parts)
    entry = next(entry for entry in entries[1:-1] if entry["purpose"] == INVARIANT)
    reason = "no flow of this run gave an occasion"
    entry |= {"verdict": "not_tested", "evidence": [], "requirements": [], "drives": 0, "reason": reason}
    return with_lines(parts, recounted(entries))


def better_suite(parts: Parts) -> Parts:
    entries = lines(parts)
    entries[0]["suite_mutants"] = "100% (60 caught of 60 that do wrong)"
    return with_lines(parts, entries)


def dirty(parts: Parts) -> Parts:
    entries = lines(parts)
    entries[0]["suite_dirty"] = True
    return with_lines(parts, entries)


def waived(parts: Parts) -> Parts:
    entries = lines(parts)
    entries[-1]["gate"] = {"name": "must", "status": 0, "waived": [json.loads(dump(WAIVED))]}
    return with_lines(parts, entries)


FORGED: dict[Callable[[Parts], Parts], str] = {
    verdict_flipped: "stored warn, now pass",
    purpose_gone_without_trace: "not executed: RFC3261-21.6-01 in uac/decline_is_final/decline_is_final",
    reason_changed: "RFC3261-21.6-01: actual: stored 'silent for 70 s', now",
    drives_changed: "it claims 2 drives; its evidence shows 1",
    evidence_swapped: "is of another plan",
    window_changed: "is of another window",
    pics_changed: "was driven with other PICS than the run's header says",
    made_not_applicable: "stored not applicable",
    silence_broken: "stored pass, now inconclusive",
    control_lost: "rests on a positive control in flow 'smoke', which no verdict uses",
    wrong_type: "plan.endpoints.0.cap: expected a valid integer",
    invariant_finding_removed: f"{INVARIANT} (phone, uac, udp): it speaks of RFC3261-17.1.1.2-02, RFC3261-17.1.1.3-02",
    invariant_made_untested: f"{INVARIANT} (phone, uac, udp): stored not_tested, now pass: as required",
    better_suite: "the header says something else of the suite's mutants than this suite does",
    dirty: "the suite was changed since its commit",
    waived: "a waived run is never certified",
    file_added: "flows/extra.json is not evidence",
    statement_changed: "statement.html differs from what the evidence shows",
}


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_evidence_has_the_last_word(
    forge: Callable[[Parts], Parts], tmp_path: Path, parts: Parts, keys: Path, signer: CryptoSigner
) -> None:
    found = checked(tmp_path, resealed(forge(parts), signer, signer), keys)
    assert any(FORGED[forge] in problem for problem in found.problems), found.problems
    assert not any("hash" in problem or "signature" in problem for problem in found.problems)


def test_attestation_of_something_else(tmp_path: Path, parts: Parts, keys: Path, signer: CryptoSigner) -> None:
    told = open_envelope(parts[dossier.ENVELOPE], signer.public_key)
    del told["digests"]
    told["predicate"]["sipverdict"]["profile"] = "no-such"
    found = checked(tmp_path, parts | {dossier.ENVELOPE: sign(told, signer)}, keys)
    assert any("no profile of requirements is called 'no-such'" in problem for problem in found.problems)
    told["predicate"]["sipverdict"]["profile"] = "tiny"
    told["predicate"]["result"] = "WARNED"
    found = checked(tmp_path, parts | {dossier.ENVELOPE: sign(told, signer)}, keys)
    assert "attestation.dsse.json: it differs from what the evidence shows" in found.problems


def test_failed_invariant_dressed_up_as_a_pass(tmp_path: Path, keys: Path, signer: CryptoSigner, parts: Parts) -> None:
    """The finding of an invariant is removed, and nothing else: its flows are still there, and show the break."""
    failing = Maker(tmp_path / "run", tries=redials, purposes=WHOLE).make()
    entries = [json.loads(line) for line in (failing.folder / "verdicts.jsonl").read_text().splitlines()]
    entry = next(e for e in entries[1:-1] if e["purpose"] == "invariants/after_6xx/no_call_again_after_any_6xx")
    assert (entry["verdict"], [row["verdict"] for row in entry["requirements"]]) == ("fail", ["fail"])
    entry |= {"verdict": "pass", "requirements": [], "reason": "as required 4 times in 4 flows"}
    bare = parts | {n: c for n, c in dossier.evidence(failing).items() if n.startswith("flows/")}
    found = checked(tmp_path, resealed(with_lines(bare, recounted(entries)), signer, signer), keys)
    told = [problem for problem in found.problems if "no_call_again_after_any_6xx" in problem]
    assert any("stored pass, now fail: " in problem for problem in told), found.problems


def test_an_older_dossier_says_nothing_of_mutants_and_stands(tmp_path: Path, keys: Path, signer: CryptoSigner) -> None:
    """Also when today's suite has been measured: a certificate speaks of the suite that judged."""
    older = Maker(tmp_path / "run", purposes=WHOLE, header={"suite_digest": "0" * 64, "suite_mutants": ""}).make()
    found = checked(tmp_path, parts_of(older, signer), keys)
    assert (found.problems, found.same_suite) == ((), False)


def test_fail_dressed_up_as_a_pass(tmp_path: Path, keys: Path, signer: CryptoSigner, parts: Parts) -> None:
    failing = Maker(tmp_path / "run", tries=redials).make()
    entries = [json.loads(line) for line in (failing.folder / "verdicts.jsonl").read_text().splitlines()]
    entries[1]["verdict"] = entries[1]["requirements"][0]["verdict"] = "pass"
    bare = parts | {n: c for n, c in dossier.evidence(failing).items() if n.startswith("flows/")}
    found = checked(tmp_path, resealed(with_lines(bare, recounted(entries)), signer, signer), keys)
    assert any("stored pass, now fail: INVITE" in problem for problem in found.problems)
