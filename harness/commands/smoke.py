"""``sipverdict smoke``: places three calls; prints a line for each, and the ladder, cause and remedy of a failure."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.commands.isolated import enter_its_network
from harness.endpoints.sipp.binary import find_sipp
from harness.errors import ProfileError, SetupError
from harness.model.printable import printable
from harness.net.address import UDP4
from harness.report.ladder import text_ladder
from harness.run.carriers import AS_PROFILED, Wanted, carried
from harness.run.specs import device_specs
from harness.smoke.trial_calls import BLAMED, Look, look_at_all


def smoke(
    devices: Sequence[str], faults: Sequence[str] = (), wanted: Wanted = AS_PROFILED, *, as_json: bool = False
) -> int:
    """Place the calls over what is ``wanted``, and print the results.

    Status 0: all succeeded, 2: device unusable, 3: set-up or profile.
    """
    console = Console(highlight=False)
    try:
        sipp = find_sipp()
        enter_its_network(devices, _arguments(devices, faults, wanted, as_json=as_json))
        specs = carried(device_specs(list(devices) or ["reference"], list(faults)), wanted)
        with tempfile.TemporaryDirectory(prefix="sipverdict-smoke-") as work:
            looks = asyncio.run(look_at_all(list(specs.values()), sipp, Path(work), _to_person))
    except SetupError as error:
        whose = "the profile" if isinstance(error, ProfileError) else "this machine or the command line"
        raise type(error)(f"no call was made, because of {whose}: {error.cause}", error.hint) from error
    if as_json:
        print(json.dumps([_plain(look) for look in looks], indent=1, ensure_ascii=False))
    else:
        for (device, role, carrier), group in groupby(looks, key=lambda look: (look.device, look.role, look.carrier)):
            over = "" if carrier == UDP4 else f", {carrier}"
            console.print(Text(f"{printable(device)} ({role}{over})", "bold"))
            _print(list(group), console)
    return int(max(look.exit_status for look in looks))


def _arguments(devices: Sequence[str], faults: Sequence[str], wanted: Wanted, *, as_json: bool) -> list[str]:
    of_each = [*(("--device", one) for one in devices), *(("--fault", one) for one in faults), *wanted.arguments]
    return ["smoke", *itertools.chain.from_iterable(of_each), *(["--json"] if as_json else [])]


def _to_person(text: str) -> None:
    """Show a request to the person at the phone; not on standard output, which may be a program's."""
    print(text, file=sys.stderr, flush=True)


def _print(looks: Sequence[Look], console: Console) -> None:
    for look in looks:
        state = {True: "ok", False: "failed", None: "not made"}[look.ok]
        time = f"{look.seconds:.2f} s" if look.seconds is not None else ""
        style = {True: "green", False: "bold red", None: "dim"}[look.ok]
        line = Text.assemble(f"  {look.status}  ", (f"{state:<9}", style), f"{time:<8}", printable(look.result))
        console.print(line, soft_wrap=True)
    for look in looks:
        if look.blame is not None:
            if look.flow is not None and look.flow.events:
                ladder = "\n".join(f"  {row}" for row in text_ladder(look.flow).splitlines())
                console.print(Text(f"\n{ladder}\n"), soft_wrap=True)
            console.print(Text(f"  blame  {BLAMED[look.blame]}"), soft_wrap=True)
            if look.hint:
                console.print(Text(f"  try    {printable(look.hint)}"), soft_wrap=True)


def _plain(look: Look) -> dict[str, Any]:
    return {
        "device": look.device,
        "role": look.role,
        "transport": look.carrier.transport,
        "family": look.carrier.family,
        "status": look.status,
        "ok": look.ok,
        "seconds": look.seconds,
        "result": look.result,
        "blame": look.blame,
        "try": look.hint,
        "messages": [str(event.start_line) for event in look.flow.events] if look.flow else [],
    }
