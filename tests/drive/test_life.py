"""Signs of life that drives share: each of them is later than the window of whoever asks for it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from harness.device import Device
from harness.drive.life import Life
from harness.model.flow import LifeSign
from harness.net.address import Address
from harness.net.probe import Prober
from harness.system import clock


class Deaf:
    """A device that answers no OPTIONS, and the prober that finds that out."""

    address = Address("127.0.0.9")

    def alive(self) -> bool:
        return True

    async def ping(self, *_: Any) -> None:
        return None


def test_a_call_that_began_before_the_window_was_over_is_no_sign_for_it() -> None:
    calls: list[float] = []

    async def call_plainly() -> LifeSign:
        calls.append(clock.now())
        at = clock.now()  # the first message of the call, at its beginning
        await asyncio.sleep(0.2)
        return LifeSign(at, "it placed a plain call")

    async def asked() -> tuple[list[LifeSign | None], list[float]]:
        deaf = Deaf()
        life = Life(cast(Prober, deaf), call_plainly)

        async def sign(delay: float) -> tuple[LifeSign | None, float]:
            await asyncio.sleep(delay)
            after = clock.now()
            return await life.sign(cast(Device, deaf), after, shared=True), after

        both = await asyncio.gather(sign(0), sign(0.1), sign(0.1))
        return [one for one, _ in both], [after for _, after in both]

    signs, after = asyncio.run(asked())
    assert all(sign is not None and sign.at > moment for sign, moment in zip(signs, after, strict=True))
    assert len(calls) == 2, "those who ask at one time share a call"
