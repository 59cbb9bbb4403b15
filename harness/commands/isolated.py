"""Commands that call a device: in a network of its own, where its profile asks for one (``[isolation]``)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.device import load_profiles
from harness.errors import SetupError
from harness.system import isolation
from harness.system.locks import lock_folder


def enter_its_network(devices: Sequence[str], arguments: Sequence[str]) -> None:
    """Go on in the network that the profiles of ``devices`` ask for, by starting the program anew with ``arguments``.

    Where this machine has none to give, the command goes on outside: what is there cannot be tested.
    SetupError for devices that cannot be in one network.
    """
    wanted = {
        profile.isolation.isolation if profile.isolation else None: name
        for name in devices
        for profile in load_profiles(name)
    }
    if len(wanted) > 1:
        raise SetupError(
            f"{' and '.join(dict.fromkeys(wanted.values()))} cannot be tested in one run: "
            "each [isolation] is a network of its own",
            "test them one by one, or side by side in runs of their own",
        )
    [asked] = wanted or [None]
    if asked is None:
        return
    if isolation.is_entered(asked):
        isolation.set_up(asked)
    elif not isolation.why_not():
        isolation.enter(arguments, asked, lock_folder())
