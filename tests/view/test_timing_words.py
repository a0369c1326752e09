"""How forecasts and gains are worded, and that the views show them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest

from swarm.nouns.events import Event, LimitRaised, LimitReached, PlanMade, RunEnded, RunStarted
from swarm.nouns.plan import Plan, Step
from swarm.nouns.timing import Forecast, Lost, Speedup
from swarm.view.plain import show
from swarm.view.timing_words import forecast_words, speedup_rows

pytestmark = pytest.mark.anyio

GAIN = Speedup(
    work_seconds=782.0,
    critical_seconds=125.0,
    ideal_seconds=220.0,
    actual_seconds=252.0,
    slots=4,
    lost=Lost(queue=31.0, prefill=12.0, retry=0.01),
)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.2, "about 1 second on 2 slots, 1 sub-agent"),
        (20.0, 41.0, "about 20 to 41 seconds on 2 slots, 1 sub-agent"),
        (170.0, 350.0, "about 3 to 6 minutes on 2 slots, 1 sub-agent"),
        (60.0, 91.0, "about 1 to 2 minutes on 2 slots, 1 sub-agent"),
        (7_000.0, 15_000.0, "about 2 to 4 hours on 2 slots, 1 sub-agent"),
    ],
)
def test_a_forecast_is_a_span_in_the_unit_of_its_end(low: float, high: float, words: str) -> None:
    assert forecast_words(Forecast(low_seconds=low, high_seconds=high, slots=2, agents=1), "m") == words


def test_a_gain_is_told_with_what_it_is_made_of() -> None:
    assert speedup_rows(GAIN) == [
        "3.1 times as fast as one after another: 13:02 of work in 4:12 on 4 slots"
        " (ideal 3:40, longest chain 2:05)",
        "waited: 31s queue · 12s prefill",
    ]
    untold = GAIN.model_copy(update={"lost": Lost(), "tells_prefill": False})
    assert speedup_rows(untold)[1] == "waited: prefill not told by the server"
    assert speedup_rows(GAIN.model_copy(update={"critical_seconds": 0.0})) == []


@pytest.mark.parametrize(("width", "is_told"), [(None, True), (0, False), (1, False), (2, True), (30, True)])
def test_a_gain_is_told_only_where_there_was_width(width: int | None, is_told: bool) -> None:
    assert bool(speedup_rows(GAIN.model_copy(update={"width": width}))) is is_told


async def test_the_lines_show_forecast_limit_and_gain() -> None:
    plan = Plan(steps=(Step(id="ask", agent="writer", brief="Ask."),))
    expected = Forecast(low_seconds=170.0, high_seconds=350.0, slots=2, agents=1)
    events: tuple[Event, ...] = (
        RunStarted(run="k3f9a2bc", task="Ask.", model="small", at=100.0),
        PlanMade(plan=plan, forecast=expected, at=100.0),
        LimitReached(limit="tokens", used=9, allowed=9, enough=18, text="the run has used it up", at=100.0),
        LimitRaised(limit="tokens", allowed=18, at=100.0),
        RunEnded(status="done", answer="", seconds=4.0, speedup=GAIN, at=104.0),
    )

    async def stream() -> AsyncIterator[Event]:
        for event in events:
            yield event

    out = io.StringIO()
    await show(stream(), out)

    assert out.getvalue().splitlines()[1:] == [
        "    0.0s  plan (planner): ask; about 3 to 6 minutes on 2 slots, 1 sub-agent",
        "    0.0s  the run has used it up",
        "    0.0s  limits.tokens is 18 now",
        "    4.0s  done in 4.0s: 0 prompt tokens (0 cached), 0 written",
        *(f"    4.0s  {row}" for row in speedup_rows(GAIN)),
    ]
