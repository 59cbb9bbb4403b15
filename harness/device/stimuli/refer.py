"""``kind = "refer"``: SIPp sends the device a REFER outside of any dialog (RFC 3515)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from typing import ClassVar, Literal

from harness.device.stimuli.base import Act, Stimulus, StimulusContext, checked, shown
from harness.device.stimuli.templates import Templated, TemplatedSection
from harness.device.tables.placeholders import START
from harness.device.tables.profile_tables import ProfileTables
from harness.device.tables.values import Filled, Line, Seconds
from harness.endpoints.host import SeatOrder
from harness.endpoints.sipp.binary import find_sipp
from harness.endpoints.sipp.host import SippHost
from harness.endpoints.sipp.refer import render_refer
from harness.endpoints.tap.loop import TapLoop
from harness.endpoints.tap.routes import Hop
from harness.endpoints.tap.tap import Listener
from harness.errors import DeviceError
from harness.model.flow import Event
from harness.model.places import Places
from harness.net.loopback import LoopbackPool
from harness.sip.message import SipMessage


class ReferStimulus(TemplatedSection):
    """A REFER whose ``Refer-To`` is the URI to call.  A 2xx means that the device accepts."""

    kind: Literal["refer"]
    to: Filled = "sip:{address}"
    """The Request-URI.  A phone may need its own user in it, ``sip:7001@{address}``."""
    username: Line | None = None
    """For a device that challenges the REFER (digest); with ``password``."""
    password: Line | None = None
    """Preferably ``{secret:NAME}``."""
    timeout_s: Seconds = 5.0

    start_names: ClassVar[frozenset[str]] = START

    @property
    def acts(self) -> frozenset[str]:
        """A REFER only begins calls; its sender does not control them."""
        return frozenset({"call"})

    def contradictions(self, profile: ProfileTables) -> Iterator[tuple[str, str]]:
        """Those of every kind; a user name without its password, or the reverse."""
        yield from super().contradictions(profile)
        if (self.username is None) != (self.password is None):
            key = "username" if self.username is None else "password"
            yield f"stimulus.{key}", "missing: username and password belong together"

    def make(self, context: StimulusContext) -> Stimulus:
        """A sender of REFERs, each a SIPp process of its own."""
        return Refer(self, context)


class Refer(Templated):
    """Sends each REFER from an address of its own, where the device's NOTIFYs are taken until it is stopped."""

    name = "a REFER"

    def __init__(self, section: ReferStimulus, context: StimulusContext) -> None:
        super().__init__(section, context)
        self._section = section
        self._open = contextlib.AsyncExitStack()
        self._host: SippHost | None = None
        self._numbers = itertools.count(1)
        self._said = ""

    def remark(self) -> str:
        """Its answer, and its reports of the call."""
        return self._said

    async def close(self) -> None:
        """Stop the SIPp processes."""
        await self._open.aclose()

    async def _say(self, act: Act, template: tuple[str, ...], uri: str) -> None:
        section, context = self._section, self.context
        to = checked(context.fill(section.to))
        user, password = context.fill(section.username or ""), context.fill(section.password or "")
        own, device = context.lease(), context.address
        scenario = render_refer(uri, to, own, user, password)
        answered: asyncio.Future[SipMessage] = asyncio.get_running_loop().create_future()

        def hear(event: Event) -> None:
            if event.from_device:
                self._hear(event, answered, challenge=bool(user))

        host = self._host = self._host or self._make_host()
        name = f"refer-{next(self._numbers)}"
        listener = Listener(hear, lambda _unreadable: None)
        order = SeatOrder(name, "caller", "caller", own, Places(""), listener, lambda outlet: Hop(outlet, device))
        seat = await host.run(order, scenario)
        self._open.push_async_callback(seat.stop)
        try:
            answer = await asyncio.wait_for(answered, section.timeout_s)
        except TimeoutError:
            raise DeviceError(
                f"{self.device} did not answer a REFER to {to} in {section.timeout_s:g} s",
                "it may take REFER only within a call, or only from its registrar; or stimulus.to is not its URI",
            ) from None
        seat.rest()
        self._check(answer, to, uri)

    def _make_host(self) -> SippHost:
        private, taps = LoopbackPool(), TapLoop()
        self._open.callback(private.close)
        self._open.callback(taps.close)
        return SippHost(self.context.folder, find_sipp(), private, taps)

    def _hear(self, message: SipMessage, answered: asyncio.Future[SipMessage], *, challenge: bool) -> None:
        status = message.status or 0
        if message.method == "NOTIFY":
            body = message.body
            self._said = f"it reported of its call: {shown(body, 80)}" if body.strip() else self._said
        elif status >= 200 and message.cseq_method == "REFER" and not answered.done():
            if status in (401, 407) and challenge and message.cseq_number == 1:
                return  # SIPp answers it
            self._said = f"it answered the REFER {message.start_line}"
            answered.set_result(message)

    def _check(self, answer: SipMessage, to: str, uri: str) -> None:
        status = answer.status or 0
        if 200 <= status < 300:
            return
        said = shown(answer.start_line, 80)
        if status in (401, 407):
            if self._section.username is None:
                hint = "set stimulus.username and stimulus.password"
            else:
                hint = "check stimulus.username and stimulus.password: the device rejected them"
            raise DeviceError(f"{self.device} challenged the REFER: {said}", hint)
        raise DeviceError(
            f"{self.device} refused a REFER to {to} for {uri}: {said}",
            "switch on REFER (remote control, third-party call control) in the device, or take another stimulus.kind",
        )
