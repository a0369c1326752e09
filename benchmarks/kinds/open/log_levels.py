"""Log files, to be counted by level and hour."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms
from benchmarks.kinds.words import some

COLUMNS = ("level", "hour", "count")
WORDINGS = (
    "Count the log lines by level and hour. Save as {out}, columns level, hour, count; hour is a number from 0 to 23. "
    "Only combinations that occur. A line that has no time of its own belongs to the line above and is not counted.",
    "Hi, I need to see when our services complain. In the folder {folder} are yesterday's logs. Could you make me a "
    "{out} with the columns level, hour and count, telling how many messages of each level were logged in each hour "
    "(0 to 23, all services together)? Leave out combinations with no message. Some messages run over several lines, "
    "those are still one message each.",
    "Please prepare the file {out} from the logs in {folder}. It shall have the columns level, hour and count: the "
    "number of log entries per level and hour of the day (0-23) over all files. Hours in which a level does not occur "
    "are omitted. Indented lines continue an entry and are not entries themselves.",
    "For the incident review: {out} from everything in {folder}. Per level and hour (0..23) the number "
    "of entries, columns level, hour, count, zero rows not needed. Entries can have extra lines below "
    "them, these don't count as entries.",
)
LAYOUTS = (
    "{day} {hour:02}:{minute:02}:{second:02} {level} {service}: {text}",
    "[{day}T{hour:02}:{minute:02}:{second:02}Z] [{level}] {text} ({service})",
    "{level:<8}{day} {hour:02}:{minute:02}:{second:02},417 {service} - {text}",
)
PATTERNS = (r"^\S+ (\d\d):\S+ (\w+)", r"^\[\S+T(\d\d):\S+ \[(\w+)\]", r"^(\w+)\s+\S+ (\d\d):")
SERVICES = ("billing", "gateway", "mailer", "search", "stock", "worker")
TEXTS = (
    "request {n} served",
    "order {n} accepted",
    "retry {n} of a call that ended with ERROR",
    "cache holds {n} entries",
    "no WARNING since {n} minutes",
    "connection {n} closed by peer",
    "job {n} took longer than planned",
)
TAILS = ("    at handler (step 3)", "    ERROR code 17 was given before", "    see the page on limits")


def make(rng: random.Random) -> Commission:
    layout = rng.choice(LAYOUTS)
    levels = rng.choice((("DEBUG", "INFO", "WARNING", "ERROR"), ("INFO", "WARN", "ERROR", "FATAL")))
    day = f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    start, hours = rng.randint(0, 14), rng.randint(3, 8)
    counts: Counter[tuple[str, int]] = Counter()
    files: dict[str, str] = {}
    for service in some(rng, SERVICES, 2, 4):
        lines: list[str] = []
        for second in sorted(rng.sample(range(start * 3600, (start + hours) * 3600), rng.randint(40, 400))):
            level = rng.choices(levels, (5, 9, 3, 1))[0]
            text = rng.choice(TEXTS).format(n=rng.randint(2, 900))
            clock = {"hour": second // 3600, "minute": second // 60 % 60, "second": second % 60}
            lines.append(layout.format(day=day, level=level, service=service, text=text, **clock))
            counts[level, second // 3600] += 1
            if rng.random() < 0.08:
                lines += some(rng, TAILS, 1, 3)
        files[f"logs/{service}.log"] = "\n".join(lines) + "\n"
    terms = {"out": rng.choice(("levels.csv", "log_counts.csv", "hourly.csv")), "folder": "logs"}
    rows = tuple((level, hour, count) for (level, hour), count in sorted(counts.items()))
    aim = Aim({terms["out"]: Sheet(COLUMNS, rows)})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def solve(folder: Path, terms: Terms) -> Aim:
    counts: Counter[tuple[str, int]] = Counter()
    for path in sorted((folder / terms["folder"]).iterdir()):
        for line in path.read_text(encoding="utf-8").splitlines():
            found = [match for pattern in PATTERNS if (match := re.match(pattern, line))]
            if found:
                first, second = found[0].groups()
                level, hour = (second, first) if first.isdigit() else (first, second)
                counts[level, int(hour)] += 1
    rows = tuple((level, hour, count) for (level, hour), count in counts.items())
    return Aim({terms["out"]: Sheet(COLUMNS, rows)})


KIND = Kind(make, solve)
