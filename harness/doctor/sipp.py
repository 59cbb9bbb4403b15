"""Checks SIPp by running it: a call over loopback, and digest authentication."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from harness.doctor.check import Check
from harness.drive.bench import Bench
from harness.drive.plain import PLAIN_CALL
from harness.endpoints.host import CallOrder, LiveSeat, SeatOrder
from harness.endpoints.sipp.binary import SippBinary, find_sipp
from harness.endpoints.tap.routes import Hop
from harness.endpoints.tap.tap import Listener
from harness.errors import SipverdictError
from harness.model.flow import Event
from harness.model.places import Places
from harness.net.address import Address
from harness.system.environment import inherited

DEADLINE_S = 10.0
_TOKEN = "7000001"
_INSTALL = "install SIPp 3.6.1, or 3.7.5 or later (Debian, Ubuntu: apt-get install sip-tester)"

_DIGEST = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="digest">
  <send retrans="500"><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:doctor@[local_ip]>;tag=[call_number]
To: <sip:doctor@[local_ip]>
Call-ID: [call_id]
CSeq: 1 REGISTER
Content-Length: 0

  ]]></send>
  <recv response="401" auth="true"/>
  <send retrans="500"><![CDATA[
REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:doctor@[local_ip]>;tag=[call_number]
To: <sip:doctor@[local_ip]>
Call-ID: [call_id]
CSeq: 2 REGISTER
[authentication username=doctor password=doctor]
Content-Length: 0

  ]]></send>
  <recv response="200"/>
</scenario>
"""


def sipp_checks() -> Iterator[Check]:
    """Check that SIPp is installed, can call and can authenticate."""
    try:
        sipp = find_sipp()
    except SipverdictError as error:
        yield Check("SIPp", "problem", error.cause, error.hint)
        return
    where = f"{sipp.version} at {sipp.path}"
    yield Check("SIPp", "warn", f"{where}: {sipp.warning}", _INSTALL) if sipp.warning else Check("SIPp", "ok", where)
    with tempfile.TemporaryDirectory(prefix="sipverdict-doctor-") as folder:
        yield _call(sipp, Path(folder))
        yield _digest(sipp, Path(folder))


def _call(sipp: SippBinary, folder: Path) -> Check:
    name, began = "SIPp: a call", time.monotonic()
    try:
        answered = asyncio.run(_calls_itself(sipp, folder))
    except SipverdictError as error:
        return Check(name, "problem", error.cause, error.hint or "sipverdict needs a SIPp that it can run on loopback")
    took = time.monotonic() - began
    if not answered:
        return Check(
            name, "problem", f"SIPp called SIPp over loopback, but no answer arrived in {DEADLINE_S:g} s", _INSTALL
        )
    return Check(name, "ok", f"SIPp calls SIPp over loopback with the suite's own scenarios, {took:.1f} s")


async def _calls_itself(sipp: SippBinary, folder: Path) -> bool:
    """Whether a call of a SIPp to another one is answered: scenarios, addresses, ports and taps all work then."""
    answered = asyncio.Event()

    def hear(event: Event) -> None:
        if event.seat == "caller" and event.from_device and event.status == 200:
            answered.set()

    async with Bench.open(folder, sipp) as bench:
        callee, caller = bench.pool.lease(), bench.pool.lease()
        places = Places(_TOKEN, {"callee": callee}, callee)
        listener = Listener(hear, lambda _unreadable: None)
        seats: list[LiveSeat] = []
        try:
            order = SeatOrder("doctor", "callee", "callee", callee, places, listener, lambda _own: None)
            seats.append(await bench.host.answer(PLAIN_CALL.endpoint("callee"), order, frozenset({"INVITE"})))
            order = SeatOrder("doctor", "caller", "caller", caller, places, listener, lambda own: Hop(own, callee))
            seats.append(await bench.host.call(CallOrder(PLAIN_CALL.calls[0]), order))
            async with asyncio.timeout(DEADLINE_S):
                await answered.wait()
        except TimeoutError:
            return False
        finally:
            await asyncio.gather(*(seat.stop() for seat in seats))
    return True


def _digest(sipp: SippBinary, folder: Path) -> Check:
    """Challenge a SIPp once: it must come back with credentials."""
    scenario = folder / "digest.xml"
    scenario.write_text(_DIGEST)
    any_port = Address("127.0.0.1", 0)
    with any_port.open_socket() as registrar:
        registrar.bind(any_port.sockaddr)
        registrar.settimeout(DEADLINE_S)
        own = Address.of(registrar.getsockname())
        client = subprocess.Popen(
            [
                *(str(sipp.path), str(own), "-sf", str(scenario)),
                *("-i", own.host, "-ci", own.host, "-m", "1", "-nostdin"),
            ],
            cwd=folder,
            env=inherited(TERM="dumb"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            authenticated = _challenged(registrar)
        except TimeoutError:
            authenticated = False
        finally:
            client.kill()
            client.wait()
    if not authenticated:
        todo = "needed only where the suite must authenticate to a device; a SIPp built with OpenSSL can"
        return Check("SIPp: digest", "warn", "a SIPp that was challenged (401) did not answer with credentials", todo)
    return Check("SIPp: digest", "ok", "answers a 401 with Digest credentials")


def _challenged(registrar: socket.socket) -> bool:
    for _ in range(20):
        raw, there = registrar.recvfrom(65535)
        text = raw.decode("latin-1")
        if "\r\nAuthorization: Digest" in text:
            return True
        kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq):.*$", text, re.MULTILINE)
        head = ["SIP/2.0 401 Unauthorized", *(line.rstrip("\r") for line in kept)]
        challenge = 'WWW-Authenticate: Digest realm="doctor",nonce="0123456789abcdef",algorithm=MD5'
        registrar.sendto("\r\n".join([*head, challenge, "Content-Length: 0", "", ""]).encode("latin-1"), there)
    return False
