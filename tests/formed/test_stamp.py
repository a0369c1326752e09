"""The time that a line of a log begins with."""

from __future__ import annotations

import pytest

from swarm.formed.stamp import stamp_of

STAMPS = {
    "2026-09-09T05:00:05Z x": ("2026-09-09", "05:00:05", 5, "Z", "x"),
    "2026-09-09T05:00:05.123456789Z x": ("2026-09-09", "05:00:05.123456789", 5, "Z", "x"),
    "2026-09-09 05:00:05,123 x": ("2026-09-09", "05:00:05.123", 5, "", "x"),
    "2026-09-09 05:00:05,123,x": ("2026-09-09", "05:00:05", 5, "", "123,x"),
    "2026-09-09 05:00:05 -5 degrees": ("2026-09-09", "05:00:05", 5, "", "-5 degrees"),
    "2026-09-09 10:00-11:30 meeting": ("2026-09-09", "10:00", 10, "", "-11:30 meeting"),
    "2026/09/09 05:00:05 x": ("2026-09-09", "05:00:05", 5, "", "x"),
    "9.9.2026, 05:00 x": ("2026-09-09", "05:00", 5, "", "x"),
    "9/10/2026 5:00:05 PM x": ("9/10/2026", "17:00:05", 17, "", "x"),
    "2026-09-09 12:30:00 AM x": ("2026-09-09", "00:30:00", 0, "", "x"),
    "2026-09-09 12:30 p.m. x": ("2026-09-09", "12:30", 12, "", "x"),
    "09-Sep-2026 05:00:05.1 x": ("2026-09-09", "05:00:05.1", 5, "", "x"),
    "[Wed Sep  9 05:00:05.123456 2026] x": ("2026-09-09", "05:00:05.123456", 5, "", "x"),
    "Sep  9 05:00:05 2026 bytes": ("09-09", "05:00:05", 5, "", "2026 bytes"),
    "Sep 09, 2026 5:00:05 PM x": ("2026-09-09", "17:00:05", 17, "", "x"),
    "[2026-09-09 05:00:05 +0200] x": ("2026-09-09", "05:00:05", 5, "+0200", "x"),
    "2026-09-09 05:00:05.123 CEST [1] x": ("2026-09-09", "05:00:05.123", 5, "CEST", "[1] x"),
    "05:00:05.123 x": (None, "05:00:05.123", 5, "", "x"),
    'time="2026-09-09T05:00:05Z" level=info': ("2026-09-09", "05:00:05", 5, "Z", "level=info"),
    "2026-13-45 05:00:05 x": ("2026-13-45", "05:00:05", 5, "", "x"),
}
NONE = [
    "",
    "x",
    "1789000000.123 x",
    "2026-09-09 x",
    "2026-09-09 25:00:05 x",
    "10:30",
    "Wed 5 05:00:05",
    "Foo  9 05:00:05 x",
]


@pytest.mark.parametrize("line", STAMPS)
def test_a_time_is_read_in_one_way_and_the_rest_stays_whole(line: str) -> None:
    stamp = stamp_of(line)

    assert stamp is not None
    assert (stamp.date, stamp.time, stamp.hour, stamp.zone, stamp.rest) == STAMPS[line]


@pytest.mark.parametrize("line", [*NONE, "10:30 we meet"])
def test_a_line_without_a_whole_time_has_none(line: str) -> None:
    if stamp := stamp_of(line):
        assert stamp.date is None
        assert stamp.time == "10:30"


def test_levels_before_the_time_and_priorities_are_read() -> None:
    said = {
        "<34>Oct 11 22:14:15 host su: x": "CRIT",
        "<165>1 2026-09-09T05:00:05Z host app 1 - - x": "NOTICE",
        "E0909 05:00:06.0  1 main.go:12] x": "ERROR",
        "[WARN] 2026-09-09 05:00:05 x": "WARN",
        "Information\t9/9/2026 5:00:05 AM\tSCM": "INFORMATION",
    }

    assert {line: stamp.level for line in said if (stamp := stamp_of(line))} == said


def test_a_long_line_is_text_behind_its_time() -> None:
    stamp = stamp_of("2026-09-09 05:00:05 " + "a -" * 100_000)

    assert stamp is not None
    assert stamp.rest == "a -" * 100_000
