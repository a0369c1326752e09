"""Measurements in several files, to be summed up by sensor and day."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from benchmarks.kinds.figure import Rounded
from benchmarks.kinds.folder import csv_text
from benchmarks.kinds.kind import Aim, Cell, Commission, Kind, Sheet, Terms

COLUMNS = ("sensor", "day", "readings", "mean", "max")
WORDINGS = (
    "Summarise the measurements in {folder} per sensor and day: {out} with sensor, day (YYYY-MM-DD), readings (how many "
    "valid ones), mean (2 decimals), max. What is not valid is in {note}.",
    "The greenhouse sensors write one file a week into {folder}. I'd like a small table {out} with the columns sensor, "
    "day, readings, mean, max. For each sensor and each day: the number of good readings, their mean to two decimals "
    "and the highest value. Days as YYYY-MM-DD. {note} says how the files are to be read.",
    "Aggregate the readings in {folder} (see {note}). Output: {out}, columns sensor, day, readings, mean, max; day in "
    "the form YYYY-MM-DD, readings = count of valid values, mean rounded to two decimal places, max = largest valid "
    "value. One row per sensor and day with at least one valid value.",
    "Please condense {folder}/*.csv into {out}: sensor, day, readings, mean, max. One line for each "
    "sensor and day (YYYY-MM-DD) with the number of usable readings, their average (two decimals) and "
    "the maximum. How the station writes things is explained in {note}.",
)
NOTE = """How to read the files

Columns: time, sensor, value (degrees). Numbers have a decimal {mark}.
{bad} is written when a sensor did not answer: that is no reading, nor is an empty field.
Lines that begin with # are remarks of the station.
"""


def make(rng: random.Random) -> Commission:
    separator, mark, word = rng.choice(((",", ".", "point"), (";", ",", "comma")))
    bad = rng.choice(("-999", "ERR", "n/a"))
    sensors = [
        f"{rng.choice(('bed', 'box', 'T'))}{number}" for number in rng.sample(range(1, 40), rng.randint(3, 7))
    ]
    values: dict[tuple[str, str], list[int]] = defaultdict(list)
    files = {"readme.txt": NOTE.format(mark=word, bad=bad)}
    start = rng.randint(1, 12)
    for part in range(rng.randint(2, 4)):
        rows: list[tuple[str, str, str]] = []
        for _ in range(rng.randint(40, 200)):
            day = f"2026-04-{start + part * 4 + rng.randrange(4):02}"
            sensor, tenths = rng.choice(sensors), rng.randint(-80, 340)
            text = rng.choices((f"{tenths / 10:.1f}".replace(".", mark), bad, ""), (30, 2, 1))[0]
            rows.append((f"{day} {rng.randint(0, 23):02}:{rng.randint(0, 59):02}", sensor, text))
            if text not in {bad, ""}:
                values[sensor, day].append(tenths)
        lines = csv_text(("time", "sensor", "value"), sorted(rows), separator).splitlines()
        lines.insert(rng.randint(2, len(lines)), f"# battery changed at {sensors[0]}")
        files[f"data/week{part + 1}.csv"] = "\n".join(lines) + "\n"
    found: list[tuple[Cell, ...]] = [
        (
            sensor,
            day,
            len(tenths),
            Rounded(Fraction(sum(tenths), 10 * len(tenths)), 2),
            Decimal(max(tenths)) / 10,
        )
        for (sensor, day), tenths in sorted(values.items())
    ]
    terms = {"folder": "data", "note": "readme.txt", "out": rng.choice(("daily.csv", "sensor_days.csv"))}
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(found))})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def solve(folder: Path, terms: Terms) -> Aim:
    bad = (folder / terms["note"]).read_text(encoding="utf-8").splitlines()[3].split()[0]
    values: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for path in (folder / terms["folder"]).glob("*.csv"):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        for row in csv.DictReader(lines, delimiter=";" if ";" in lines[0] else ","):
            if row["value"] not in {bad, ""}:
                values[row["sensor"], row["time"][:10]].append(Decimal(row["value"].replace(",", ".")))
    rows: list[tuple[Cell, ...]] = [
        (sensor, day, len(found), Rounded(Fraction(sum(found)) / len(found), 2), max(found))
        for (sensor, day), found in values.items()
    ]
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})


KIND = Kind(make, solve)
