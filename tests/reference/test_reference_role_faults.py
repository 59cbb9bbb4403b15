"""Every fault of a proxy, a redirect server or a UAS shows on the wire, and without it the device does not do that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from role_proofs import CALLS, QUESTIONS, Call, Question, Scene
from sip_bench import Bench, Driven
from sip_caller import acknowledge, own, registered, request
from sip_peer import Message, Peer

from harness.devices.reference.faults import fault_named
from harness.devices.reference.timers import Timers

Play = Callable[..., None]

SLOW = Timers(t1=1.0, t2=4.0, t4=1.0)
QUICK = Timers(t1=0.005, t2=0.02, t4=0.1, d=0.5)
DELAY = 0.1


def script(peer: Peer, answers: Sequence[str], cancelled: str) -> Callable[[Message], Sequence[str]]:
    """What a phone does: its answers to every INVITE, and another one to the INVITE when that is cancelled."""

    def send(invite: Message, template: str) -> None:
        forge = "X-Forged" in template
        peer.answer(
            invite, template, lambda text: text.replace("branch=z9", "branch=z9hG4bKforged", 1) if forge else text
        )

    def act(message: Message) -> Sequence[str]:
        if message.method == "CANCEL":
            if cancelled:
                asyncio.get_running_loop().call_soon(send, peer.of("INVITE")[0], cancelled)
            return ["200 OK"]
        if message.method == "INVITE" and len(peer.of("INVITE")) <= 20:
            wait = 0.0
            for template in answers:
                wait += DELAY * template.count("Delay:")
                asyncio.get_running_loop().call_later(wait, send, message, template)
        return []

    return act


async def opened(bench: Bench, role: str, fault: str | None) -> tuple[Driven, Scene]:
    device = await bench.device(*([fault] if fault else []), role=role)
    caller, *phones = [await bench.peer() for _ in range(4)]
    caller.script = lambda _: ["480 Not Here"]
    return device, Scene("{}:{}".format(*device.address), caller, *phones)


async def called(bench: Bench, call: Call, fault: str | None) -> Scene:
    if call.quick:
        bench.timers = QUICK
    device, scene = await opened(bench, call.role, fault)
    names = {"a": scene.a.uri, "b": scene.b.uri, "c": scene.c.uri}
    for peer, answers in zip((scene.a, scene.b, scene.c), (call.a, call.b, call.c), strict=True):
        templates = [one.format(**names) for one in answers.split("|") if one]
        peer.script = script(peer, templates, call.cancelled)
    if call.to:
        await registered(scene.caller, device, *(contact.format(**names) for contact in call.to))
    uri = own(device) if call.to else f"sip:700@{scene.a.uri}"
    scene.caller.send(request(call.method, uri, scene.caller, *call.headers), device.address)
    if call.cancel is not None:
        await scene.caller.until("180")
        scene.caller.send(request("CANCEL", uri, scene.caller, *call.cancel), device.address)
    await bench.quiet(0.5 if call.quick or "Delay" in call.b else 0.1, 1)
    return scene


async def asked(bench: Bench, question: Question, fault: str | None) -> Scene:
    bench.timers = QUICK if question.quick else SLOW
    device, scene = await opened(bench, question.role, fault)
    caller = scene.caller
    if question.role == "redirect":
        await registered(caller, device, "<sip:x@127.0.0.1;lr;method=MESSAGE;y=1>;q=0.5")
        await registered(caller, device, f"<{own(device, '701')}>", user="701")
        await registered(caller, device, "<sip:x@127.0.0.1>, <sip:y@127.0.0.2>", user="704")
        await registered(caller, device, f"<sip:703@{scene.a.uri}>", user="703")
    uri = own(device, question.user)
    caller.send(request(question.method, uri, caller, *question.headers), device.address)
    for act in question.then:
        if act == "ACK":
            await _until_final(scene)
            scene.acknowledged = asyncio.get_running_loop().time()
            acknowledge(caller, device, scene.finals[-1], branch="b")
        elif act == "AGAIN":
            await asyncio.sleep(2 * QUICK.t4)
            caller.send(request("INVITE", uri, caller, branch="again"), device.address)
        elif act == "CANCEL":
            await caller.until("603" if question.user == "6037" else "180")
            caller.send(request("CANCEL", uri, caller), device.address)
            await caller.until("200")
        else:
            await _until_final(scene)
            caller.send(request("INVITE", uri, caller), device.address)
    await bench.quiet(0.5 if question.user == "186037" else 0.1, 1)
    return scene


async def _until_final(scene: Scene) -> None:
    await scene.caller.when(lambda: bool(scene.finals))


def heard(scene: Scene) -> str:
    return "\n".join(m.text for peer in (scene.caller, scene.a, scene.b, scene.c) for m in peer.heard)


@pytest.mark.parametrize("faulty", [True, False], ids=["faulty", "right"])
@pytest.mark.parametrize("fault", CALLS)
def test_fault_of_a_proxy_shows(play: Play, fault: str, faulty: bool) -> None:
    call = CALLS[fault]

    async def scenario(bench: Bench) -> None:
        scene = await called(bench, call, fault if faulty else None)
        assert call.shows(scene) is faulty, heard(scene)

    assert "proxy" in fault_named(fault).roles
    play(scenario)


@pytest.mark.parametrize("faulty", [True, False], ids=["faulty", "right"])
@pytest.mark.parametrize(
    ("fault", "number"), [(fault, n) for fault, all_ in QUESTIONS.items() for n in range(len(all_))]
)
def test_fault_of_an_answering_device_shows(play: Play, fault: str, number: int, faulty: bool) -> None:
    question = QUESTIONS[fault][number]

    async def scenario(bench: Bench) -> None:
        scene = await asked(bench, question, fault if faulty else None)
        assert question.shows(scene) is faulty, heard(scene)

    assert question.role in fault_named(fault).roles
    play(scenario)


def test_recursion_for_others_needs_no_recursion_for_its_own(play: Play) -> None:
    call = Call(CALLS["recurses_for_others"].shows, CALLS["recurses_for_others"].a, "200 OK", to=())

    async def scenario(bench: Bench) -> None:
        assert call.shows(await called(bench, call, "recurses_for_others"))

    play(scenario)
