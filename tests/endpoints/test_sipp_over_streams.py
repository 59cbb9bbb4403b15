"""A SIPp that speaks TLS and WebSockets by itself calls an endpoint of the suite: somebody else's client of our taps.

Debian 12's SIPp has neither: with that one these tests are skipped.  ``SIPVERDICT_SIPP`` names another one.
"""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from sipp_peer import Record, address, hosting, order, run

from harness.endpoints.sipp.binary import find_sipp
from harness.model.places import Places
from harness.model.plan import Answer, Endpoint, Response
from harness.net.address import SECURE, WEB, Transport
from harness.net.authority import Authority, OwnFiles, Showing

MODES: dict[Transport, str] = {"tcp": "t1", "tls": "l1", "ws": "w1", "wss": "x1"}
CALLER = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="caller">
  <send><![CDATA[

    INVITE sip:123@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
    From: <sip:a@[local_ip]:[local_port]>;tag=[call_number]
    To: <sip:123@[remote_ip]:[remote_port]>
    Call-ID: [call_id]
    CSeq: 1 INVITE
    Contact: <sip:a@[local_ip]:[local_port];transport=[transport]>
    Max-Forwards: 70
    Content-Length: 0

  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="603"/>
  <send><![CDATA[

    ACK sip:123@[remote_ip]:[remote_port] SIP/2.0
    Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-3]
    From: <sip:a@[local_ip]:[local_port]>;tag=[call_number]
    [last_To:]
    Call-ID: [call_id]
    CSeq: 1 ACK
    Max-Forwards: 70
    Content-Length: 0

  ]]></send>
</scenario>
"""


def knows(transport: Transport) -> bool:
    """Whether the SIPp of this machine has that transport."""
    found = find_sipp()
    said = subprocess.run([found.path, "-h"], capture_output=True, text=True, check=False, timeout=10).stdout
    return f"{MODES[transport]}: " in said and (transport not in SECURE or "TLS" in found.version)


@pytest.mark.parametrize("transport", MODES)
def test_it_is_declined_over_what_it_speaks(transport: Transport, tmp_path: Path) -> None:
    if not knows(transport):
        pytest.skip(f"SIPp {find_sipp().version} has no {transport.upper()}")
    _call(transport, tmp_path)


@run
async def _call(transport: Transport, folder: Path) -> None:
    lab = trustme.CA()
    lab.cert_pem.write_to_path(folder / "ca.pem")
    lab.private_key_pem.write_to_path(folder / "ca.key")
    authority = Authority(folder, own=OwnFiles(folder / "ca.pem", folder / "ca.key", demanded=True))
    own, caller, record = replace(address(), transport=transport), replace(address(), transport=transport), Record()
    shown = lab.issue_cert(caller.host)
    shown.cert_chain_pems[0].write_to_path(folder / "caller.pem")
    shown.private_key_pem.write_to_path(folder / "caller.key")
    (folder / "caller.xml").write_text(CALLER)
    endpoint = Endpoint("callee", "callee", (Answer((Response(603),)),))
    async with hosting(folder) as host:
        wanted = order("callee", own, Places("123", {"callee": own}), record, caller, security=Showing(authority))
        seat = await host.answer(endpoint, wanted, frozenset({"INVITE"}))
        secure = ["-tls_cert", "caller.pem", "-tls_key", "caller.key", "-tls_ca", "ca.pem"]
        try:
            client = await asyncio.create_subprocess_exec(
                *(str(find_sipp().path), str(own), "-sf", "caller.xml", "-t", MODES[transport], "-m", "1", "-nostdin"),
                *("-i", caller.host, "-ci", caller.host, "-mi", caller.host, "-timeout", "20s"),
                *(secure if transport in SECURE else ()),
                cwd=folder,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            _, said = await asyncio.wait_for(client.communicate(), 30)
            assert client.returncode == 0, said.decode()
            await record.until(lambda: [one.method for one in record.received()] == ["INVITE", "ACK"])
        finally:
            await seat.stop()
    [line] = [one for one in seat.evidence().connections if one.opened_by == "device"]
    assert line.trouble == ""
    assert (line.handshake is not None) == (transport in SECURE)
    if line.handshake:
        assert line.handshake.peer_subject
    if transport in WEB:
        assert line.upgrade is not None
        assert (line.upgrade.offered, line.upgrade.agreed) == (("sip",), "sip")
