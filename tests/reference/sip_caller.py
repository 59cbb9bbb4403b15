"""What a peer sends when it is the caller."""

from __future__ import annotations

from sip_bench import Driven
from sip_peer import Message, Peer


def request(method: str, uri: str, caller: Peer, *extra: str, to: str = "", number: int = 1, branch: str = "b") -> str:
    """Write a request of a caller."""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP {caller.uri};branch=z9hG4bK{branch}",
        "From: caller <sip:caller@127.0.31.1>;tag=caller",
        f"To: {to or f'<{uri}>'}",
        "Call-ID: from-the-caller",
        f"CSeq: {number} {method}",
        f"Contact: <sip:caller@{caller.uri}>",
        *extra,
    ]
    return "\n".join([*lines, "", ""])


def acknowledge(caller: Peer, device: Driven, final: Message, branch: str = "ack") -> None:
    number = int(final.header("CSeq").split()[0])
    uri = f"sip:{device.address[0]}"
    text = request("ACK", uri, caller, to=final.header("To"), number=number, branch=branch)
    caller.send(text, device.address)


async def registered(caller: Peer, device: Driven, *contacts: str, user: str = "700") -> None:
    """Register these Contact values for a user of the device, and wait for the 200."""
    host = "{}:{}".format(*device.address)
    before = len(caller.of("200"))
    lines = [f"Contact: {value}" for value in contacts]
    text = request("REGISTER", f"sip:{host}", caller, *lines, to=f"<sip:{user}@{host}>", branch=f"r{before}")
    text = text.replace(f"Contact: <sip:caller@{caller.uri}>\n", "")
    caller.send(text.replace("from-the-caller", f"register-{before}"), device.address)
    await caller.until("200", before + 1)


def own(device: Driven, user: str = "700") -> str:
    """The URI of a user of the device."""
    return "sip:{}@{}:{}".format(user, *device.address)


def vias(message: Message) -> list[str]:
    """The Vias of a message, from the top."""
    return [line.partition(": ")[2] for line in message.text.split("\r\n") if line.startswith("Via: ")]
