"""What a network may do to messages on their way: lose, delay, copy, reorder them.  As data, and repeatable."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_KEYS: Final = ("loss", "delay", "copies", "reorder", "seed")
_REORDERED_S: Final = 0.03
"""How much later a reordered message goes on its way: others overtake it."""
MOST_DELAY_S: Final = 10.0


@dataclass(frozen=True)
class Weather:
    """Chances are from 0 to 1 and hold for every message in either direction; times are seconds."""

    loss: float = 0.0
    delay: float = 0.0
    """Each message is delayed by anything from 0 to this."""
    copies: float = 0.0
    """The chance that a message arrives twice."""
    reorder: float = 0.0
    """The chance that a message is overtaken by those of the next 30 ms."""
    seed: int = 0

    def __bool__(self) -> bool:
        return bool(self.loss or self.delay or self.copies or self.reorder)

    @classmethod
    def parse(cls, text: str) -> Weather:
        """The weather of ``loss=5%,delay=20ms,copies=2%,reorder=1%,seed=7``; ValueError with what was expected."""
        values: dict[str, float] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            key, equals, value = part.partition("=")
            if not equals or key not in _KEYS:
                raise ValueError(f"expected {', '.join(f'{key}=' for key in _KEYS)} joined by commas; got {part!r}")
            values[key] = _read(key, value.strip())
        seed = int(values.pop("seed", 0))
        return cls(**values, seed=seed)

    def __str__(self) -> str:
        parts = [f"{key}={getattr(self, key) * 100:g}%" for key in ("loss", "copies", "reorder") if getattr(self, key)]
        if self.delay:
            parts.append(f"delay={self.delay * 1000:g}ms")
        return ",".join([*parts, f"seed={self.seed}"]) if parts else "calm"


CALM: Final = Weather()
"""Nothing happens to any message."""


@dataclass
class Forecast:
    """The fates of the messages of one drive, one after the other; equal seeds give equal fates."""

    weather: Weather
    drive: str
    """What tells this drive's fates from another's: with one seed for all, every drive would lose its third message."""
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.weather.seed} {self.drive}")

    def delays(self) -> Iterator[float]:
        """After how many seconds the next message is passed on: nothing if it is lost, two values if it is copied."""
        chance, weather = self._random.random, self.weather
        if chance() < weather.loss:
            return
        late = _REORDERED_S if chance() < weather.reorder else 0.0
        yield late + chance() * weather.delay
        if chance() < weather.copies:
            yield late + chance() * weather.delay


def _read(key: str, text: str) -> float:
    try:
        if key == "seed":
            return int(text)
        if key == "delay":
            seconds = float(text.removesuffix("ms")) / 1000 if text.endswith("ms") else float(text.removesuffix("s"))
            if 0 <= seconds <= MOST_DELAY_S:
                return seconds
            raise ValueError
        share = float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
        if 0 <= share <= 1:
            return share
        raise ValueError
    except ValueError:
        expected = {"seed": "a whole number", "delay": f"a time up to {MOST_DELAY_S:g} s, as in 20ms"}
        raise ValueError(f"{key}={text}: expected {expected.get(key, 'a share, as in 5%')}") from None
