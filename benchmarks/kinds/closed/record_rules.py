"""Records, and rules in a text that they have to keep."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from benchmarks.kinds.folder import csv_text
from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms
from benchmarks.kinds.words import CITIES, people

COLUMNS = ("id", "rule")
HEAD = ("id", "name", "city", "email", "age", "course", "begin", "end")
WORDINGS = (
    "Check {data} against {rules}. {out}: id, rule; one row for each rule that a record breaks, rule being its number.",
    "These are the registrations for our courses ({data}), and {rules} says what a proper one looks like. Could you go "
    "through them and write {out} with the columns id and rule? If somebody breaks two rules there are two rows. Only "
    "the number of the rule, please.",
    "Every record of {data} is to be validated against the rules set out in {rules}. Report each violation as a row of "
    "{out} with the columns id (of the record) and rule (number of the rule).",
    "{data} came back from the front desk and it's full of mistakes. The rules are in {rules}. I want "
    "{out} with two columns: id of the record and rule, the number of the rule it breaks. One line per "
    "broken rule.",
)
RULES = {
    "email": "The e-mail address has exactly one @ and no blanks.",
    "age": "Participants are between {low} and {high} years old, both included.",
    "course": "The course is one of {courses}.",
    "order": "A course does not end before it begins.",
    "name": "The name is not empty.",
    "twice": "An e-mail address is used only once; the first record that has it is fine, each later one breaks this rule.",
    "city": "People from {city} may not take {course}.",
}
COURSES = ("pottery", "singing", "weaving", "baking", "chess")


def make(rng: random.Random) -> Commission:
    low, high = rng.randint(14, 18), rng.randint(60, 80)
    courses = rng.sample(COURSES, 3)
    city = rng.choice(CITIES)
    chosen = ["email", "age", "course", *rng.sample(("order", "name", "twice", "city"), rng.randint(1, 3))]
    rng.shuffle(chosen)
    rows: list[tuple[int, int]] = []
    records: list[dict[str, str]] = []
    names = people(rng, 60)
    for number in range(101, 101 + rng.randint(25, 250)):
        name = rng.choice(names)
        begin = date(2026, 3, 1) + timedelta(days=rng.randrange(90))
        record = {
            "id": str(number), "name": name, "city": rng.choice([city, *rng.sample(CITIES, 4)]),
            "email": f"{name.lower().replace(' ', '.')}{number}@post.example", "age": str(rng.randint(low, high)),
            "course": rng.choice(courses), "begin": begin.isoformat(), "end": (begin + timedelta(days=rng.randrange(30))).isoformat(),
        }  # fmt: skip
        broken = [
            rule for rule in chosen if rng.random() < 0.06 and _break(rng, rule, record, records, (low, high))
        ]
        if "email" in broken and "twice" in broken:
            continue
        if "city" in chosen and record["city"] == city and record["course"] == courses[0]:
            broken.append("city")
        rows += [(number, chosen.index(rule) + 1) for rule in broken]
        records.append(record)
    texts = [
        RULES[rule].format(low=low, high=high, courses=", ".join(courses), city=city, course=courses[0])
        for rule in chosen
    ]
    lines = [f"{number}. {text}" for number, text in enumerate(texts, 1)]
    terms = {
        "data": "registrations.csv",
        "rules": "rules.txt",
        "out": rng.choice(("violations.csv", "problems.csv")),
    }
    files = {
        "registrations.csv": csv_text(HEAD, [list(record.values()) for record in records]),
        "rules.txt": "Rules for registrations\n\n" + "\n".join(lines) + "\n",
    }
    if len(rows) < 3 or len(set(rows)) < len(rows):
        return make(rng)
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def _break(
    rng: random.Random,
    rule: str,
    record: dict[str, str],
    earlier: list[dict[str, str]],
    bounds: tuple[int, int],
) -> bool:
    """Makes the record break that rule; false where it can't be done without breaking another one."""
    if rule == "email":
        record["email"] = rng.choice((
            record["email"].replace("@", " at "),
            record["email"].replace(".", " .", 1),
            record["email"] + "@",
        ))
    elif rule == "age":
        record["age"] = str(rng.choice((bounds[0] - 1, bounds[1] + 1, bounds[1] + 9)))
    elif rule == "course":
        record["course"] = rng.choice(("swimming", "juggling"))
    elif rule == "order":
        record["end"] = (date.fromisoformat(record["begin"]) - timedelta(days=rng.randint(1, 9))).isoformat()
    elif rule == "name":
        record["name"] = ""
    elif (
        rule == "twice"
        and earlier
        and earlier[-1]["email"].count("@") == 1
        and " " not in earlier[-1]["email"]
    ):
        record["email"] = earlier[-1]["email"]
    else:
        return False
    return True


def solve(folder: Path, terms: Terms) -> Aim:
    lines = (folder / terms["rules"]).read_text(encoding="utf-8").splitlines()
    rules = [(int(found[1]), found[2]) for line in lines if (found := re.match(r"(\d+)\. (.+)", line))]
    records = list(csv.DictReader((folder / terms["data"]).read_text(encoding="utf-8").splitlines()))
    rows: list[tuple[int, int]] = []
    seen: set[str] = set()
    for record in records:
        for number, text in rules:
            if _breaks(record, text, seen):
                rows.append((int(record["id"]), number))
        seen.add(record["email"])
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})


def _breaks(record: dict[str, str], text: str, seen: set[str]) -> bool:
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    tests: dict[str, Callable[[], bool]] = {
        "exactly one @": lambda: record["email"].count("@") != 1 or " " in record["email"],
        "years old": lambda: not numbers[0] <= int(record["age"]) <= numbers[1],
        "course is one of": lambda: record["course"] not in text.rstrip(".").split("one of ")[1].split(", "),
        "end before": lambda: record["end"] < record["begin"],
        "name is not empty": lambda: not record["name"],
        "used only once": lambda: record["email"] in seen,
        "People from": lambda: record["city"] in text and record["course"] in text,
    }
    return next(test() for words, test in tests.items() if words in text)


KIND = Kind(make, solve)
