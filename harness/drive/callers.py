"""The tester's own calls of one drive: each is a caller at a seat of its own, through the device or to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.drive.bench import on_free_port
from harness.drive.caller import CallerState
from harness.drive.context import DriveContext
from harness.drive.recorder import Recorder
from harness.endpoints.host import CallOrder, LiveSeat, SeatOrder
from harness.endpoints.tap.tap import Listener
from harness.model.places import Places
from harness.model.plan import Call, Plan
from harness.model.weather import Forecast
from harness.net.authority import Showing
from harness.system import clock


@dataclass
class Callers:
    """Makes the calls of ``plan`` that the device does not start."""

    context: DriveContext
    flow: str
    plan: Plan
    role: str
    places: Places
    recorder: Recorder
    listener: Listener
    forecast: Forecast | None
    on_seat: Callable[[LiveSeat], None]
    """Receives every caller's seat, which ends with the others of the drive."""
    _made: int = field(default=0)

    async def call(self, call: Call) -> CallerState:
        """Begin ``call``.  SetupError or PlanError if it is impossible."""
        context = self.context
        self._made += 1
        name = "caller" if self._made == 1 else f"caller{self._made}"
        # Where the device answers calls itself, only the caller can end a call that it accepts.
        hangs_up = call.act == "hangup" or self.role in ("uas", "redirect")
        credentials = context.lab.credentials
        state = self.recorder.callers[name] = CallerState(call, clock.now(), hangs_up, credentials is not None)
        made = CallOrder(call, hangs_up, self.plan.statuses, credentials, context.lab.identity)
        way = context.lab.way(self.places.token, self.places.device)

        async def start() -> LiveSeat:
            own = way.inbound.pool.lease()
            order = SeatOrder(
                self.flow,
                name,
                "caller",
                own,
                self.places,
                self.listener,
                way.hop,
                symmetric=context.lab.exchange is not None,
                forecast=self.forecast,
                security=Showing(way.inbound.authority),
                path=way.inbound.profile.lab.websocket_path,
            )
            try:
                return await context.bench.host.call(made, order, way.on_seat)
            except BaseException:
                way.inbound.pool.give_back(own)
                raise

        self.on_seat(await on_free_port(start, way.inbound.pool))
        return state
