"""Each fault, and what it may change: the expectation of every machine fault, as data.

Never a pass where the device fails, never a fail where it does not.  A verdict may only become inconclusive, and then
for a reason that names the cause.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import harms
from tests.chaos.harms import FAULTY, ON_FIXED, SOME, Running

SAME = frozenset({1})
"""The exit status of a run of the faulty device that nothing disturbed."""
UNCLEAR = frozenset({1, 2})
BEHIND_A_LINE = ("--device", "{profile}:base", "--fault", "redials_at_once", *SOME)
ON_A_LINE = r"the line loses about|answered nothing|not repeatable"
WEATHER = r"the tap had changed|not repeatable|was sent|SIPp|again"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong outside of the device's behaviour."""

    name: str
    harm: Callable[[Running], object] = lambda _run: None
    """Done while the run goes on."""
    status: frozenset[int] = SAME
    """The exit statuses that the run may end with."""
    unclear: str = ""
    """What the reason of each verdict that became inconclusive has to match; "": none may."""
    says: str = ""
    """What the output has to match."""
    words: tuple[str, ...] = (*FAULTY, *SOME)
    before: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    room: Callable[[Path], AbstractContextManager[Path]] = contextlib.nullcontext
    """Where the run is stored."""
    cut_off: bool = False
    """Whether verdicts may be missing: the run was ended."""
    root: bool = False
    sample: bool = False
    """Whether ``make test`` has it."""


_LOST = r"lost|ended by|was ended|answered nothing|while other calls|did not come back|not tested again|not repeatable"
_SIPP = r"SIPp|sipp|ended|listening|never|no .*(ACK|call|INVITE)|not followed|not arrive|trouble of this machine|twice"
_SIGNALS = [(name, place / 10) for place, name in enumerate(["SIGINT", "SIGTERM", "SIGHUP"] * 4)][:10]

TABLE = (
    Fault("none"),
    Fault("SIPps killed", harms.sipps_killed, UNCLEAR, _SIPP),
    Fault("SIPps stopped for 2 s", harms.sipps_stopped, UNCLEAR, _SIPP),
    Fault("SIPps slow for 4 s", harms.sipps_slow, UNCLEAR, _SIPP),
    Fault("the whole suite stalled for 2 s", harms.stalled, UNCLEAR, _SIPP, sample=True),
    Fault(
        "clock set 1 h forward",
        harms.time_jumps,
        unclear=r"clock was set",
        says="clock was set 3600.0 s forward",
        words=(*FAULTY, *SOME, "-p", "tests.chaos.stepping"),
        environment={"CHAOS_CLOCK": "set +3600"},
        sample=True,
    ),
    Fault(
        "clock set 50 s back",
        harms.time_jumps,
        unclear=r"clock was set",
        says="clock was set 50.0 s back",
        words=(*FAULTY, *SOME, "-p", "tests.chaos.stepping"),
        environment={"CHAOS_CLOCK": "set -50"},
    ),
    Fault(
        "suspended for 30 s",
        harms.time_jumps,
        unclear=r"was suspended",
        says="suspended for 30.0 s",
        words=(*FAULTY, *SOME, "-p", "tests.chaos.stepping"),
        environment={"CHAOS_CLOCK": "sleep 30"},
    ),
    Fault(
        "disk full",
        status=frozenset({3}),
        unclear=r"cannot write|could not be stored|disk|No space",
        says="No space left on device",
        room=harms.full_disk,
        cut_off=True,
        root=True,
    ),
    Fault(
        "96 descriptors",
        status=frozenset({1, 2, 3}),
        unclear=r"Too many open files|SIPp|descriptors|cannot",
        before=("prlimit", "--nofile=96:96"),
    ),
    Fault("ports taken", before=harms.PORTS_TAKEN, root=True, sample=True),
    Fault(
        "worker crashed",
        harms.worker_killed,
        # Another worker may have done all that was left.
        UNCLEAR,
        r"crash|stopped",
        says="crash",
        words=(*FAULTY, *SOME, "-n", "2"),
        cut_off=True,
    ),
    *(
        Fault(
            f"{name} at {100 * place:.0f} %",
            harms.ended_by(name, place),  # type: ignore[arg-type]
            # The first come before Python has begun to run the program.
            UNCLEAR if place > 0.2 else frozenset({2, -2, -15, -1}),
            says="ended by" if place > 0.2 else "",
            cut_off=True,
            sample=place == 0.5,
        )
        for name, place in _SIGNALS
    ),
    Fault("output closed", harms.output_closed, sample=True),
    Fault("device killed", harms.device_killed, UNCLEAR, _LOST, says="was ended by SIGKILL", sample=True),
    Fault("device hangs", harms.device_hangs, UNCLEAR, _LOST, says="answered nothing"),
    Fault("device paused for 1.5 s", harms.device_pauses, UNCLEAR, _LOST + "|twice|window|sign of life|late"),
    Fault(
        "1 % loss at the taps", words=(*FAULTY, *SOME, "--weather", "loss=1%,seed=1"), status=UNCLEAR, unclear=WEATHER
    ),
    Fault(
        "5 % loss at the taps", words=(*FAULTY, *SOME, "--weather", "loss=5%,seed=2"), status=UNCLEAR, unclear=WEATHER
    ),
    Fault(
        "delay, copies and reordering at the taps",
        words=(*FAULTY, *SOME, "--weather", "delay=100ms,copies=5%,reorder=5%,seed=3"),
        status=UNCLEAR,
        unclear=WEATHER,
    ),
    # More tests than the others: the first run is to go on until the second one has begun.
    Fault("two suites on one device", harms.another_suite, words=(*ON_FIXED, "-k", "uac-udp or b2bua-udp")),
    *(
        Fault(
            f"{100 * loss:.0f} % loss on a line",
            words=BEHIND_A_LINE,
            before=harms.bad_line(loss=loss, seed=4),
            status=UNCLEAR,
            unclear=ON_A_LINE,
            root=True,
        )
        for loss in (0.01, 0.05)
    ),
    Fault(
        "delay, copies and reordering on a line",
        words=BEHIND_A_LINE,
        before=harms.bad_line(delay=0.1, copies=0.05, reorder=0.05, seed=5),
        status=UNCLEAR,
        unclear=ON_A_LINE + "|" + WEATHER,
        root=True,
    ),
)
