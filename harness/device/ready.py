"""Waiting until a device is ready: for the one event of its profile, never for a fixed time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final

from harness.device.process import DeviceProcess
from harness.device.profile.models import Profile
from harness.device.stimuli import Stimulus
from harness.errors import DeviceError
from harness.net.address import Address
from harness.net.probes import options_ping
from harness.net.sockets import inode_of
from harness.net.stream_probe import remedy_of

LOOK_S: Final = 0.005
"""Between two looks at what gives no event of its own."""
FIRST_COPY_S: Final = 0.02
"""T1 of the OPTIONS that asks for readiness: Sippy drops what arrives between its bind and its event loop."""


def bound(address: Address) -> bool:
    """Whether a socket of this machine is bound to ``address`` (over TCP: listens), or to its port on every address."""
    return inode_of(address) != 0


async def wait_ready(
    profile: Profile,
    address: Address,
    process: DeviceProcess | None,
    stimulus: Stimulus | None,
    context: Callable[[], ssl.SSLContext] | None = None,
) -> None:
    """Return when the device is ready.  DeviceError with its last output if it ends before, or is too late.

    ``context``: that of a TLS client.
    """
    kind = profile.ready.kind
    if kind is None:
        return
    troubles: list[str] = []
    waiting = asyncio.ensure_future(_event(kind, profile, address, process, stimulus, context, troubles))
    either: set[asyncio.Future[Any]] = {waiting, process.died} if process else {waiting}
    try:
        done, _ = await asyncio.wait(either, timeout=profile.ready.timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if process and process.died.done():
        await process.heard_out()
    output = f"; {process.last_words()}" if process else ""
    if waiting in done:
        try:
            waiting.result()
        except DeviceError as error:
            raise DeviceError(f"{error.cause}{output}", error.hint) from error
        except OSError as error:
            raise DeviceError(
                f"{profile.name} at {address} cannot be reached from this machine: {error.strerror or error}{output}",
                "check lab.address of its profile and the route to it (ip route get)",
            ) from error
        return
    if process and process.died.done():
        install = profile.process.install if profile.process else ""
        raise DeviceError(
            f"{profile.name} {process.died.result()} before it was ready{output}",
            install or "start it by hand with the command of process.argv and see what it says",
        )
    missing = _missing(kind, profile, address, troubles)
    raise DeviceError(
        f"{profile.name} was not ready in {profile.ready.timeout_s:g} s: {missing}{output}",
        _remedy(profile, process, address, troubles),
    )


async def _event(
    kind: str,
    profile: Profile,
    address: Address,
    process: DeviceProcess | None,
    stimulus: Stimulus | None,
    context: Callable[[], ssl.SSLContext] | None,
    troubles: list[str],
) -> None:
    if kind == "stdout":
        assert process
        assert profile.ready.stdout
        await process.line(profile.ready.stdout)
    elif kind == "udp_bound":
        await _bound(address)
    elif kind == "options":
        if process:  # nothing can answer before the socket is there: no need to wait for T1
            await _bound(address)
        await options_ping(
            address,
            None,
            profile.ready.timeout_s + 1,
            FIRST_COPY_S,
            context,
            profile.lab.websocket_path,
            troubles.append,
        )
    else:
        assert stimulus
        await stimulus.probe(profile.ready.timeout_s)


async def _bound(address: Address) -> None:
    while not bound(address):  # noqa: ASYNC110 - the kernel has no event for it
        await asyncio.sleep(LOOK_S)


def _missing(kind: str, profile: Profile, address: Address, troubles: Sequence[str]) -> str:
    over = "" if address.transport == "udp" else f" over {address.transport.upper()}"
    why = f" ({troubles[-1]})" if troubles else ""
    return {
        "stdout": f"no line of its output begins with {profile.ready.stdout!r}",
        "udp_bound": f"nothing is bound to {address.transport.upper()} {address}",
        "options": f"no answer to OPTIONS from {address}{over}{why}",
        "control": "its control port does not answer",
    }[kind]


def elsewhere(profile: Profile, address: Address) -> str:
    """What to write in ``profile`` if the device is not at ``address``, but at that of another transport."""
    if len(profile.device.all_transports) == 1:
        return ""
    name = address.transport.upper()
    return f"if it listens for {name} elsewhere: [over.{address.carrier.label}.lab] names the address; "


def _remedy(profile: Profile, process: DeviceProcess | None, address: Address, troubles: Sequence[str]) -> str:
    if troubles and (todo := remedy_of(troubles[-1])):
        return todo
    if process is None:
        return (
            f"is it on, and does it listen at {address} over {address.transport.upper()} "
            f"(lab.address, device.transports)? {elsewhere(profile, address)}"
            "if it answers no OPTIONS, remove [ready] from its profile"
        )
    return "see its output; raise ready.timeout_s of its profile if it is only slow"
