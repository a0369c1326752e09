"""Events of visitors, one JSON object a line, to be put together into visits."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms

COLUMNS = ("user", "start", "end", "events")
WORDINGS = (
    "Turn {data} into visits: {out}, columns user, start, end, events. A visit ends when a user does nothing for more "
    "than {gap} minutes. Times like in the input, events = number of events. Events without a user are left out.",
    "In {data} there's everything people clicked on our site, one event per line. I need to know how often they come, so "
    "please make {out}: one line per visit with user, start, end (times of the first and the last event, written as "
    "they are in the file) and events, the number of events. If more than {gap} minutes go by between two events of "
    "the same user it's a new visit. Skip events that have no user.",
    "From the event log {data} derive the file {out} with the columns user, start, end and events. Consecutive events of "
    "a user belong to the same visit unless more than {gap} minutes lie between them; start and end are the times of "
    "its first and last event in the notation of the log. Events whose user is empty or null are disregarded. The log "
    "is not necessarily in the order of time.",
    "need visits from {data}. csv {out}: user, start, end, events. new visit when the same user was "
    "quiet for more than {gap} minutes. start/end = time of first/last event copied from the file, "
    "events = how many. lines where user is missing: drop",
)
ACTIONS = ("open", "search", "basket", "pay", "help")


def make(rng: random.Random) -> Commission:
    gap = rng.choice((15, 20, 30, 45))
    events: list[dict[str, object]] = []
    rows: list[tuple[str, str, str, int]] = []
    for name in rng.sample(range(100, 999), rng.randint(5, 40)):
        user = f"u{name}"
        moment = datetime(2026, 2, rng.randint(1, 25), rng.randint(6, 12), rng.randint(0, 59))
        for _ in range(rng.randint(1, 5)):
            times = [moment]
            for _ in range(rng.randint(0, 9)):
                step = rng.choices((rng.randint(0, gap - 1) * 60 + rng.randint(1, 59), gap * 60), (9, 1))[0]
                times.append(times[-1] + timedelta(seconds=step))
            events += [_event(rng, t, user) for t in times]
            rows.append((user, times[0].isoformat(), times[-1].isoformat(), len(times)))
            moment = times[-1] + timedelta(
                minutes=rng.choice((gap + 1, gap + 40, 600)), seconds=rng.randint(0, 50)
            )
    for _ in range(rng.randint(2, 8)):
        stray = datetime(2026, 2, rng.randint(1, 25), 9, rng.randint(0, 59)).isoformat()
        events.append({"time": stray, "user": rng.choice((None, "")), "action": "open"})
    if rng.random() < 0.5:
        rng.shuffle(events)
    else:
        events.sort(key=lambda event: str(event["time"]))
    terms = {
        "data": rng.choice(("events.jsonl", "clicks.jsonl")),
        "out": rng.choice(("visits.csv", "sessions.csv")),
        "gap": str(gap),
    }
    files = {terms["data"]: "".join(json.dumps(event) + "\n" for event in events)}
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def _event(rng: random.Random, moment: datetime, user: str) -> dict[str, object]:
    return {"time": moment.isoformat(), "user": user, "action": rng.choice(ACTIONS)}


def solve(folder: Path, terms: Terms) -> Aim:
    times: dict[str, list[str]] = defaultdict(list)
    for line in (folder / terms["data"]).read_text(encoding="utf-8").splitlines():
        event: dict[str, str | None] = json.loads(line)
        if event["user"]:
            times[event["user"]].append(event["time"] or "")
    rows: list[tuple[str, str, str, int]] = []
    for user, found in times.items():
        visits: list[list[str]] = []
        for time in sorted(found):
            if visits and _minutes(visits[-1][-1], time) <= int(terms["gap"]):
                visits[-1].append(time)
            else:
                visits.append([time])
        rows += [(user, visit[0], visit[-1], len(visit)) for visit in visits]
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})


def _minutes(first: str, second: str) -> float:
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds() / 60


KIND = Kind(make, solve)
