"""What people wrote down of their hours, to be summed up by person and project."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from datetime import date
from fractions import Fraction
from pathlib import Path

from benchmarks.kinds.figure import Rounded
from benchmarks.kinds.kind import Aim, Cell, Commission, Kind, Sheet, Terms
from benchmarks.kinds.words import people, some

COLUMNS = ("person", "project", "hours")
WORDINGS = (
    "Sum up the timesheets in {folder}: {out} with person, project, hours (decimal, e.g. 7.5). Breaks are not work.",
    "It's the end of the month and everybody handed in their hours in {folder}. Could you add them up into {out}? The "
    "columns are person, project and hours, the hours as a decimal number like 12.25. What is marked as a break isn't "
    "paid, and entries somebody has struck out (there's an x in front) don't count either.",
    "Compile {out} from the timesheets in {folder} with the columns person, project and hours: the total working time "
    "of each person per project, in hours as a decimal number. Breaks are deducted; lines beginning with x are void. "
    "Only projects a person worked on.",
    "Payroll needs {out} from the sheets in {folder}: person, project, hours. Hours per person and "
    "project, decimal (8.25 and so on), breaks taken off. Please read the readme there, it says how "
    "people write.",
)
NOTE = "How we write our hours: from-to and the project. A break in minutes is taken off. x in front: struck out.\n"
PROJECTS = ("bakery site", "town hall", "harbour", "school", "museum", "garden centre")
LAYOUTS = ("{day} {begin}-{end} {project}{pause}", "{day}: {project}, {begin} to {end}{pause}")
WORKDAYS = [day for day in (date(2026, 6, number) for number in range(1, 31)) if day.weekday() < 5]


def make(rng: random.Random) -> Commission:
    files = {"hours/readme.txt": NOTE}
    minutes: dict[tuple[str, str], int] = defaultdict(int)
    for person in people(rng, rng.randint(4, 9)):
        layout = rng.choice(LAYOUTS)
        projects = some(rng, PROJECTS, 2, 4)
        lines = [f"Name: {person}", "Month: June 2026", ""]
        for worked in WORKDAYS[: rng.randint(5, 22)]:
            begin = rng.randint(28, 44) * 15
            end = begin + rng.randint(4, 32) * 15
            project, pause = rng.choice(projects), rng.choice((0, 0, 15, 30, 45))
            line = layout.format(
                day=f"{worked:%a} {worked.day} June", begin=_clock(begin), end=_clock(end), project=project,
                pause=f" (break {pause} min)" if pause else "",
            )  # fmt: skip
            is_void = rng.random() < 0.08
            lines.append(f"x {line}" if is_void else line)
            if not is_void:
                minutes[person, project] += end - begin - pause
        files[f"hours/{person.split()[0].lower()}.txt"] = "\n".join(lines) + "\n"
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (person, project, Rounded(Fraction(total, 60), 2)) for (person, project), total in minutes.items()
    )
    terms = {"folder": "hours", "out": rng.choice(("hours.csv", "june.csv", "totals.csv"))}
    aim = Aim({terms["out"]: Sheet(COLUMNS, rows)})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def solve(folder: Path, terms: Terms) -> Aim:
    hours: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for path in (folder / terms["folder"]).iterdir():
        lines = path.read_text(encoding="utf-8").splitlines()
        for line in lines[3:]:
            found = re.fullmatch(
                r"\w+ \d+ June:? (.*?),? ?(\d+):(\d+)(?:-| to )(\d+):(\d+) ?(.*?)(?: ?\(break (\d+) min\))?",
                line,
            )
            if found:
                before, *clock, after, pause = found.groups()
                h1, m1, h2, m2 = map(int, clock)
                worked = (h2 - h1) * 60 + m2 - m1 - int(pause or 0)
                hours[lines[0].removeprefix("Name: "), before or after] += Fraction(worked, 60)
    rows: tuple[tuple[Cell, ...], ...] = tuple((*key, Rounded(total, 2)) for key, total in hours.items())
    return Aim({terms["out"]: Sheet(COLUMNS, rows)})


KIND = Kind(make, solve)
