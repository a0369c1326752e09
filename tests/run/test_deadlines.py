"""When a run is to rest: times of day, durations, and clocks that jump."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from swarm.errors import ProjectError
from swarm.run.deadline import PauseAt, Pauses, duration, lasting, moment, sleep_until, until

NOW = datetime(2026, 11, 22, 21, 30, tzinfo=UTC).astimezone()


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("90m", 5_400), ("8h", 28_800), ("1h30m", 5_400), ("2d", 172_800), ("45 min", 2_700)],
)
def test_a_duration_is_read_as_people_write_it(words: str, seconds: int) -> None:
    assert duration(words) == seconds


@pytest.mark.parametrize("words", ["", "8", "h", "30m1h", "-1h", "0m", "soon"])
def test_what_is_no_duration_is_refused(words: str) -> None:
    with pytest.raises(ProjectError, match="is no duration; write it as 90m, 8h or 1h30m"):
        duration(words)


def test_a_time_of_day_is_the_next_one() -> None:
    soon, before = NOW + timedelta(minutes=20), NOW - timedelta(minutes=20)

    assert moment(f"{soon:%H:%M}", NOW).timestamp() == soon.timestamp()
    assert moment(f"{before:%H:%M}", NOW).timestamp() == (before + timedelta(days=1)).timestamp()
    assert moment(f"{NOW:%H:%M}", NOW).timestamp() == (NOW + timedelta(days=1)).timestamp()


def test_a_date_may_have_a_zone() -> None:
    assert moment("2026-11-23T06:30+00:00", NOW) == datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "why"), [("25:00", "is no time"), ("tonight", "is no time"), ("2026-01-01T00:00", "is over")]
)
def test_what_is_no_time_to_come_is_refused(words: str, why: str) -> None:
    with pytest.raises(ProjectError, match=why):
        moment(words, NOW)


@pytest.mark.usefixtures("in_berlin")
def test_the_night_of_a_changed_clock_is_an_hour_longer_or_shorter() -> None:
    def left(evening: datetime) -> float:
        return until("06:30", clock=lambda: evening.timestamp()).left() / 3_600

    assert left(datetime(2026, 10, 24, 22, 30)) == 9
    assert left(datetime(2026, 3, 28, 22, 30)) == 7
    assert left(datetime(2026, 11, 22, 22, 30)) == 8


def test_a_deadline_follows_the_clock_it_is_for() -> None:
    clock = [NOW.timestamp()]
    night, long = (
        until("2026-11-23T06:30+00:00", clock=lambda: clock[0]),
        lasting("8h", clock=lambda: clock[0]),
    )
    assert (night.left(), long.left()) == (9 * 3_600, 8 * 3_600)

    clock[0] += 9 * 3_600
    assert (night.left(), long.left()) == (0, -3_600)


@pytest.mark.anyio
async def test_a_deadline_is_heeded_with_the_time_that_calls_in_flight_need() -> None:
    pauses, lead = Pauses(), [40.0]
    pauses.by(PauseAt("it is late", lambda: 45.0))
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        due = group.create_task(pauses.due(lambda: lead[0]))
        await asyncio.sleep(0)
        assert not due.done()
        lead[0] = 45.0
        pauses.by(PauseAt("it is late", lambda: 45.0))
    assert due.result() == "it is late"


@pytest.mark.anyio
async def test_a_person_may_ask_before_the_deadline_comes() -> None:
    pauses = Pauses()
    pauses.by(PauseAt("it is late", lambda: 1_000.0))
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        due = group.create_task(pauses.due(lambda: 0.0))
        await asyncio.sleep(0)
        pauses.ask("I need the machine")
    assert due.result() == "I need the machine"


@pytest.mark.anyio
async def test_waiting_for_a_time_that_has_come_takes_no_time() -> None:
    async with asyncio.timeout(5):
        await sleep_until(PauseAt("it is time", lambda: -1.0))
