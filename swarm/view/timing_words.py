"""How a forecast and the gain of working side by side are worded."""

from __future__ import annotations

from swarm.nouns.timing import Forecast, Speedup
from swarm.view.words import duration

LEAST_SECONDS = 0.1
"""What is less is not told."""
LEAST_WIDTH = 2
"""Sub-agents at once from which on working side by side can gain anything."""
_UNITS = ((5_400.0, 3_600.0, "hour"), (90.0, 60.0, "minute"), (0.0, 1.0, "second"))
"""From so many seconds on, seconds in the unit, its name."""


def forecast_words(forecast: Forecast | None, model: str) -> str:
    """When to come back: ``about 3 to 6 minutes on 2 slots, 14 sub-agents``."""
    if forecast is None:
        return f"time unknown: measure the speed of {model} with: swarm doctor --probe {model}"
    low, high = forecast.low_seconds, forecast.high_seconds
    unit, name = next((unit, name) for least, unit, name in _UNITS if high >= least)
    first, last = max(round(low / unit), 1), max(round(high / unit), 1)
    span = f"{first} to {last} {name}s" if first < last else f"{last} {name}{'' if last == 1 else 's'}"
    slots = f"{forecast.slots} slot{'' if forecast.slots == 1 else 's'}"
    agents = f"{forecast.agents} sub-agent{'' if forecast.agents == 1 else 's'}"
    if not forecast.open_steps:
        return f"about {span} on {slots}, {agents}"
    many = "has" if len(forecast.open_steps) == 1 else "have"
    return (
        f"at least about {span} on {slots}, {agents} and more:"
        f" it shows later how many items {', '.join(forecast.open_steps)} {many}"
    )


def speedup_rows(speedup: Speedup) -> list[str]:
    """What working side by side gained and where time was lost, in one row or two.

    Nothing where no two sub-agents were at work at once: there was nothing to gain.
    """
    is_narrow = speedup.width is not None and speedup.width < LEAST_WIDTH
    if is_narrow or not speedup.critical_seconds or not speedup.actual_seconds:
        return []
    slots = f"{speedup.slots} slot{'' if speedup.slots == 1 else 's'}"
    gain = (
        f"{speedup.factor:.1f} times as fast as one after another: {duration(speedup.work_seconds)} of work"
        f" in {duration(speedup.actual_seconds)} on {slots}"
        f" (ideal {duration(speedup.ideal_seconds)}, longest chain {duration(speedup.critical_seconds)})"
    )
    words = {"other": "saving and its turn in this process", "approval": "for a person"}
    lost = [
        f"{duration(seconds)} {words.get(what, what)}"
        for what, seconds in speedup.lost
        if seconds >= LEAST_SECONDS
    ]
    if not speedup.tells_prefill:
        lost.append("prefill not told by the server")
    return [gain, f"waited: {' · '.join(lost)}"] if lost else [gain]
