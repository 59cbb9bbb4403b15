"""Weather as data: how it is written, and that it comes again."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.weather import MOST_DELAY_S, Forecast, Weather


@pytest.mark.parametrize(
    ("text", "weather"),
    [
        ("", Weather()),
        ("loss=5%", Weather(loss=0.05)),
        ("loss=0.05", Weather(loss=0.05)),
        (" loss=5% , delay=20ms,copies=2%, reorder=1%,seed=7", Weather(0.05, 0.02, 0.02, 0.01, 7)),
        ("delay=1.5s", Weather(delay=1.5)),
        ("delay=2", Weather(delay=2)),
        ("seed=-3", Weather(seed=-3)),
    ],
)
def test_it_is_read(text: str, weather: Weather) -> None:
    assert Weather.parse(text) == weather


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rain=5%", r"expected loss=, delay=, copies=, reorder=, seed= joined by commas; got 'rain=5%'"),
        ("loss", "got 'loss'"),
        ("5%", "got '5%'"),
        ("loss=101%", "loss=101%: expected a share, as in 5%"),
        ("loss=-1%", "a share"),
        ("loss=nan", "a share"),
        ("copies=inf", "a share"),
        ("copies=", "a share"),
        ("loss=5%%", "a share"),
        ("reorder=5ms", "a share"),
        ("delay=5%", "delay=5%: expected a time up to 10 s, as in 20ms"),
        ("delay=11s", "a time up to 10 s"),
        ("delay=-1ms", "a time"),
        ("delay=nan", "a time"),
        ("seed=1.5", "seed=1.5: expected a whole number"),
        ("seed=", "a whole number"),
    ],
)
def test_what_is_no_weather_is_refused_with_what_was_expected(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Weather.parse(text)


SHARES = st.integers(0, 100).map(lambda percent: percent / 100)


@given(SHARES, st.integers(0, int(MOST_DELAY_S * 1000)), SHARES, SHARES, st.integers())
def test_as_it_is_shown_it_can_be_read(loss: float, delay: int, copies: float, reorder: float, seed: int) -> None:
    weather = Weather(loss, delay / 1000, copies, reorder, seed)
    if weather:
        assert Weather.parse(str(weather)) == weather
    else:
        assert str(weather) == "calm"


def fates(weather: Weather, drive: str = "uac a plan 0", messages: int = 500) -> list[list[float]]:
    forecast = Forecast(weather, drive)
    return [list(forecast.delays()) for _ in range(messages)]


def test_equal_seeds_give_equal_fates_and_others_others() -> None:
    storm = Weather(0.2, 0.02, 0.2, 0.2, seed=1)
    assert fates(storm) == fates(storm)
    assert fates(storm) != fates(Weather(0.2, 0.02, 0.2, 0.2, seed=2))
    assert fates(storm) != fates(storm, "uac another plan 0")


def test_calm_does_nothing() -> None:
    assert fates(Weather()) == [[0.0]] * 500
    assert not Weather(seed=7)


def test_each_chance_does_its_own() -> None:
    assert fates(Weather(loss=1)) == [[]] * 500
    assert 50 < fates(Weather(loss=0.2)).count([]) < 150
    assert all(len(delays) == 2 for delays in fates(Weather(copies=1)))
    assert {delay for delays in fates(Weather(reorder=1)) for delay in delays} == {0.03}
    delayed = [delay for [delay] in fates(Weather(delay=0.5))]
    assert 0 <= min(delayed) < 0.05 < 0.45 < max(delayed) <= 0.5
    assert list(islice(fates(Weather(loss=1, copies=1)), 3)) == [[], [], []], "what is lost has no copies"
