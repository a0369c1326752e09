"""Calendars: ``calendar/NAME.ics`` for each person, by icalendar."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError

from benchmarks.officebench.apps.places import name_of, own

OWNER = "-//sovereign-swarm//office//EN"


class Calendars:
    """The tools over the calendars of a workspace."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "calendar"

    def calendar_list_events(self, user: str) -> str:
        """List all events in a person's calendar: summary, start, end, location."""
        path = self._path(user)
        if not path.is_file():
            return f"{user} has no calendar yet"
        events = [_line(event) for event in _read(path).walk("VEVENT")]
        return "\n".join(events) or f"{user} has no events"

    def calendar_create_event(
        self, user: str, summary: str, start: str, end: str, location: str = "", description: str = ""
    ) -> str:
        """Add an event to one person's calendar; start and end as YYYY-MM-DD HH:MM:SS."""
        begins, ends = _moment(start), _moment(end)
        if (begins.tzinfo is None) != (ends.tzinfo is None):
            raise ToolError("start and end must both have a time zone, or none")
        if ends < begins:
            raise ToolError(f"the end {end!r} lies before the start {start!r}")
        path = self._path(user)
        library = importlib.import_module("icalendar")
        if path.is_file():
            calendar = _read(path)
        else:
            calendar = library.Calendar()
            calendar.add("prodid", OWNER)
            calendar.add("version", "2.0")
        event = library.Event()
        event.add("summary", summary)
        event.add("dtstart", begins)
        event.add("dtend", ends)
        event.add("dtstamp", datetime.now(UTC))
        for name, value in (("location", location), ("description", description)):
            if value:
                event.add(name, value)
        calendar.add_component(event)
        self._folder.mkdir(exist_ok=True)
        path.write_bytes(bytes(calendar.to_ical()))
        return f"added {summary!r} to the calendar of {path.stem}, {start} to {end}"

    def calendar_delete_event(self, user: str, summary: str) -> str:
        """Delete the event with this summary from a person's calendar."""
        path = self._path(user)
        calendar = _read(path) if path.is_file() else None
        found = (
            [event for event in calendar.walk("VEVENT") if str(event.get("summary")) == summary]
            if calendar
            else []
        )
        if calendar is None or not found:
            raise ToolError(f"{user} has no event {summary[:80]!r}; list the events for their summaries")
        calendar.subcomponents.remove(found[0])
        path.write_bytes(bytes(calendar.to_ical()))
        return f"deleted {summary!r} from the calendar of {path.stem}"

    def _path(self, user: str) -> Path:
        return own(self._folder, f"{name_of(user)}.ics")


def _read(path: Path) -> Any:  # icalendar is not installed where types are checked
    return importlib.import_module("icalendar").Calendar.from_ical(path.read_bytes())


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        raise ToolError(f"{text[:80]!r} is no time; write it as 2024-05-17 10:30:00") from None


def _line(event: Any) -> str:  # as above
    times = [
        f"{name}: {event.get(key).dt}"
        for name, key in (("start", "dtstart"), ("end", "dtend"))
        if event.get(key)
    ]
    others = [f"{key}: {event.get(key)}" for key in ("location", "description") if event.get(key)]
    return " | ".join([f"summary: {event.get('summary')}", *times, *others])
