"""Every fault shows on the wire, and without it the device does not do that."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fault_proofs import DECLINED, MOVED, PROOFS, Wire, calls
from role_proofs import CALLS, QUESTIONS
from sip_bench import Bench
from step_proofs import STEPS

from harness.devices.reference.faults import FAULTS, fault_named
from harness.devices.reference.misbehaviour import behaviour_with, misbehaviour_of
from harness.devices.reference.wire import Final
from harness.purposes.discovery import all_purposes

ELSEWHERE = {
    # tests/reference/test_reference_websockets.py
    *("omits_subprotocol", "plain_via_when_secure"),
    # tests/run/test_robustness.py
    *(fault for purpose in all_purposes().values() if purpose.apart for fault in purpose.faults),
    "repeats_refused_reinvite",
    "relays_and_follows",
    "redirects_to_itself",
    "hides_603",
    "leaves_caller_ringing",
    "cancels_after_final",
    *(
        "reads_what_is_cut_short",
        "moves_dialog_on_302",
        "calls_contact_of_reinvite",
        "goes_on_after_hangup",
        "forgets_refusal_after_2s",
        "keeps_contact_for_ever",
    ),
    "keeps_retransmitting",
    "remembers_contact",
    "ends_call_on_refused_reinvite",
    "redials_after_1s",
    "redials_after_8s",
    "redials_at_33s",
    "redials_other_number",
    "dies_after_603",
    # test_reference_messages.py
    *("no_empty_line", "nameless_header", "two_max_forwards", "counts_characters", "no_content_type"),
    *("constant_from_tag", "never_repeats_invite", "sends_requests_once", "copies_lose_hops"),
    *("answers_without_contact", "constant_to_tag", "bare_answer_to_cancel", "rport_without_received"),
    *("received_is_own_address", "answers_contact_too", "sends_no_100"),
    *("loses_call_id", "doubles_from_tag", "forgets_allowed_methods", "garbles_sdp", "refuses_media_by_silence"),
    *("answers_without_session", "repeats_without_doubling", "cancels_with_two_vias"),
    *("acks_only_first_branch", "no_ack_of_487", "repeats_while_ringing"),
    # By the fault table alone (tests/run/test_fault_table.py).
    *("merges_by_call_id", "keeps_unwanted_call", "forgets_603plus_in_copies", "remembers_reason_of_603plus"),
    *("takes_any_certificate", "takes_expired_certificates", "takes_any_name", "trusts_names_of_dns"),
    *("knows_no_sip_domains", "falls_back_to_tcp", "looks_up_sips_as_sip", "plain_via_over_tls"),
    *("repeats_invite_over_streams", "keeps_callers_transport", "contact_of_callers_side", "contact_of_trunk_side"),
    *("records_one_side", "passes_on_ack_of_refusal", "forgets_acknowledged_call", "cancels_as_other_host"),
    *("sends_once_across", "follows_one_branch"),
    # test_reference_streams.py
    *("keeps_transport", "via_of_old_transport", "mangles_ipv6"),
    *("knows_small_transports", "acks_over_old_transport", "falls_back_to_udp"),
    *("repeats_refusal_over_streams", "answers_on_new_connection", "no_length_over_streams"),
    # test_reference_families.py
    *("stays_in_family", "old_host_across", "loses_brackets_across", "via_of_old_family", "contact_of_old_family"),
    "reinvites_from_old_family",
    *("goes_on_after_603_across", "records_old_family"),
    # test_reference_names.py
    *("reverses_srv_priorities", "ignores_srv_port", "ignores_srv", "asks_srv_despite_port", "next_server_after_603"),
    *("ignores_naptr", "stays_with_dead_server", "unknown_name_to_old_server", "looks_up_addresses", "looks_up_again"),
    *("returns_to_first_server", "calls_closed_domain", "resolves_one_family"),
    # test_reference_call_faults.py
    *("redials_after_ringing", "no_ack_of_redirected_200", "repeats_cseq_in_dialog", "answers_bye_500"),
    *("hangs_on_dead_302", "loses_200", "ends_one_leg", "byes_to_redirector", "cancels_with_new_branch"),
    *("asks_the_same_leg", "forgets_route_set", "keeps_route_of_ringing", "answers_without_record_route"),
    *("records_without_brackets", "loses_dialog_of_target", "stays_pending_after_refusal"),
    *("cancels_after_4xx", "drops_ack_of_200", "relays_302_without_contact", "answers_message_481", "ignores_cancel"),
}


def test_every_fault_is_proven_here_or_by_a_test_of_its_own() -> None:
    assert {
        fault.name for fault in FAULTS
    } == PROOFS.keys() | STEPS.keys() | CALLS.keys() | QUESTIONS.keys() | ELSEWHERE
    assert len({misbehaviour_of(fault) for fault in FAULTS}) == len(FAULTS)


def test_an_unknown_fault_names_the_nearest() -> None:
    with pytest.raises(LookupError, match="the nearest is reuses_branch"):
        fault_named("reuse_branch")


@pytest.mark.parametrize("faulty", [True, False], ids=["faulty", "right"])
@pytest.mark.parametrize("fault", [*PROOFS, *STEPS])
def test_fault_shows(play: Callable[..., None], fault: str, faulty: bool) -> None:
    answers, target_answer, shows = (PROOFS | STEPS)[fault]

    async def scenario(bench: Bench) -> None:
        callee, target, second, backup = [await bench.peer() for _ in range(4)]
        wire = Wire(callee, target, second, backup)
        names = {"callee": callee.uri, "target": target.uri, "second": second.uri}
        callee.says(*([answers] if isinstance(answers, str) else answers), **names)
        target.says(target_answer, **names)
        second.says("200 OK")
        backup.says("603 Decline")
        device = await bench.device(*([fault] if faulty else []), backup=backup)
        device.do(f"call sip:700@{callee.uri}")
        await callee.until("INVITE")
        await bench.quiet(seconds=1.1 if "call_at_retry" in fault else 0.45 if "retry" in fault else 0.1, limit=1.5)
        assert shows(wire) is faulty, "\n".join(m.text for peer in wire.peers for m in peer.heard)

    play(scenario)


@pytest.mark.parametrize(
    ("fault", "delay"),
    [
        *(("redials_after_1s", 1), ("redials_other_number", 2)),
        *(("redials_after_8s", 8), ("redials_at_33s", 33)),
    ],
)
def test_late_redials_wait(fault: str, delay: float) -> None:
    behaviour = behaviour_with([fault_named(fault)])
    redial = behaviour.redial(Final(603, "Decline"))
    assert redial is not None
    assert (redial.delay, redial.new_call) == (delay, True)
    assert behaviour.redial(Final(486, "Busy Here")) is None


def test_remembers_contact(play: Callable[..., None]) -> None:
    async def scenario(bench: Bench) -> None:
        callee, target = await bench.peer(), await bench.peer()
        callee.says(MOVED, target=target.uri)
        target.says("486 Busy Here")
        device = await bench.device("remembers_contact")
        for count in (1, 2):
            device.do(f"call sip:700@{callee.uri}")
            await target.until("INVITE", count)
        assert len(callee.of("INVITE")) == 1

    play(scenario)


@pytest.mark.parametrize("faulty", [True, False])
def test_keeps_contact_for_ever(play: Callable[..., None], faulty: bool) -> None:
    async def scenario(bench: Bench) -> None:
        callee, target = await bench.peer(), await bench.peer()
        callee.says("302 M\nContact: <sip:m@{target}>;expires=1", target=target.uri)
        target.says("486 Busy Here")
        device = await bench.device(*(["keeps_contact_for_ever"] if faulty else []))
        for count in (1, 2):
            device.do(f"call sip:700@{callee.uri}")
            await target.until("INVITE", count)
        assert len(callee.of("INVITE")) == (1 if faulty else 2)

    play(scenario)


@pytest.mark.parametrize("faulty", [True, False])
def test_goes_on_after_hangup(play: Callable[..., None], faulty: bool) -> None:
    async def scenario(bench: Bench) -> None:
        callee, target = await bench.peer(), await bench.peer()
        callee.says("180 Ringing")
        target.says("486 Busy Here")
        device = await bench.device(*(["goes_on_after_hangup"] if faulty else []))
        device.do(f"call sip:700@{callee.uri}")
        await callee.until("INVITE")
        await bench.quiet(seconds=0.1, limit=1)
        device.do(f"hangup sip:700@{callee.uri}")
        await callee.until("CANCEL")
        callee.answer(callee.of("INVITE")[0], f"302 M\nContact: <sip:m@{target.uri}>")
        await callee.until("ACK")
        await bench.quiet(seconds=0.1, limit=1)
        assert bool(target.heard) is faulty

    play(scenario)


@pytest.mark.parametrize("fault", ["", "moves_dialog_on_302", "calls_contact_of_reinvite"])
def test_redirected_reinvite(play: Callable[..., None], fault: str) -> None:
    async def scenario(bench: Bench) -> None:
        callee, target = await bench.peer(), await bench.peer("486 Busy Here")
        callee.says("200 OK")
        device = await bench.device(*filter(None, [fault]))
        device.do(f"call sip:700@{callee.uri}")
        await callee.until("ACK")
        callee.says("302 M\nContact: <sip:m@{target}>", target=target.uri)
        device.do(f"reinvite sip:700@{callee.uri}")
        await callee.until("ACK", 2)
        await bench.quiet(seconds=0.1, limit=1)
        device.do(f"hangup sip:700@{callee.uri}")
        await (target if fault == "moves_dialog_on_302" else callee).until("BYE")
        assert bool(target.of("INVITE")) is (fault == "calls_contact_of_reinvite")

    play(scenario)


def test_reads_what_is_cut_short() -> None:
    data = b"SIP/2.0 302 M\r\nContent-Length: 400\r\nCall-ID: a\r\n\r\nshort"
    read = behaviour_with([fault_named("reads_what_is_cut_short")]).datagram(data)
    assert read == data.replace(b"400", b"5")
    assert behaviour_with([]).datagram(data) == data


def test_forgets_refusal_after_2s() -> None:
    assert behaviour_with([fault_named("forgets_refusal_after_2s")]).remembers_refusal(32.0) == 2.0
    assert behaviour_with([]).remembers_refusal(32.0) == 32.0


def test_keeps_retransmitting(play: Callable[..., None]) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer(DECLINED)
        device = await bench.device("keeps_retransmitting")
        device.do(f"call sip:700@{callee.uri}")
        first, copy = await callee.until("INVITE", 2)
        assert copy.text == first.text
        assert copy.time - first.time > 0.4

    play(scenario)


def test_ends_call_on_refused_reinvite(play: Callable[..., None]) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer("200 OK", DECLINED)
        device = await bench.device("ends_call_on_refused_reinvite")
        device.do(f"call sip:700@{callee.uri}")
        await callee.until("ACK")
        device.do(f"reinvite sip:700@{callee.uri}")
        await callee.until("BYE")

    play(scenario)


def test_reads_reason_phrase_of_a_603(play: Callable[..., None]) -> None:
    async def scenario(bench: Bench) -> None:
        usual, unusual = await bench.peer("603 Decline"), await bench.peer("603 Declined")
        device = await bench.device("reads_reason_phrase")
        for callee in (usual, unusual):
            device.do(f"call sip:700@{callee.uri}")
        await unusual.until("ACK", 2)
        await bench.quiet()
        assert [calls(callee) for callee in (usual, unusual)] == [1, 2]

    play(scenario)


def test_what_a_fault_does_to_one_target_stays_with_it(play: Callable[..., None]) -> None:
    async def scenario(bench: Bench) -> None:
        callee, target, second = await bench.peer(), await bench.peer("486 Busy Here"), await bench.peer("200 OK")
        callee.says("302 M\nContact: <sip:a@{a}?Subject=x>, <sip:b@{b}>", a=target.uri, b=second.uri)
        device = await bench.device("appends_uri_headers")
        device.do(f"call sip:700@{callee.uri}")
        last = (await second.until("INVITE"))[0]
        assert target.of("INVITE")[0].header("Subject") == "x"
        assert not last.header("Subject")
        assert last.header("CSeq") == "3 INVITE"

    play(scenario)


def test_repeats_refused_reinvite_once(play: Callable[..., None]) -> None:
    async def scenario(bench: Bench) -> None:
        callee = await bench.peer("200 OK", DECLINED)
        device = await bench.device("repeats_refused_reinvite")
        device.do(f"call sip:700@{callee.uri}")
        await callee.until("ACK")
        device.do(f"reinvite sip:700@{callee.uri}")
        _, first, again = await callee.until("INVITE", 3)
        assert first.body == again.body
        assert again.time - first.time > 0.9
        await callee.until("ACK", 3)
        assert not callee.of("BYE")

    play(scenario)
