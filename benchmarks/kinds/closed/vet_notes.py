"""Notes of a vet in her own words, to be read into a table of animals."""

from __future__ import annotations

import random
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

from benchmarks.kinds.kind import Aim, Cell, Commission, Kind, Sheet, Terms
from benchmarks.kinds.said import MONTHS
from benchmarks.kinds.words import day, people

COLUMNS = ("file", "animal", "owner", "weight", "next_visit")
WORDINGS = (
    "Read the vet's notes in {folder} and make {out}: file, animal, owner, weight, next_visit. animal is its name, weight "
    "today's in kg as a number, next_visit as YYYY-MM-DD (year {year}), empty if none is needed.",
    "Our vet dictates a note after each patient, they're in {folder}. Please put them into {out} so we can plan: file "
    "(name of the file), animal (what it's called), owner (full name), weight (of that day, in kilos, only the number) "
    "and next_visit (YYYY-MM-DD, all in {year}; leave it empty when the animal needn't come back).",
    "The notes in {folder} are to be transferred to {out} with the columns file, animal (name), owner, weight (present "
    "weight in kg, number only) and next_visit (date in the form YYYY-MM-DD, year {year}, or empty where no further "
    "visit is planned).",
    "Make a list {out} of the patients in {folder}: file, animal, owner, weight, next_visit. Animal "
    "means the name, owner with first and last name, weight is what it weighs now (kg, without unit), "
    "next_visit as {year}-12-31 (everything is {year}) or nothing if they don't have to come again.",
)
PETS = [
    "Bello",
    "Chili",
    "Daisy",
    "Fips",
    "Ginger",
    "Hexe",
    "Koko",
    "Luna",
    "Mogli",
    "Nala",
    "Oskar",
    "Pepper",
    "Rocky",
    "Simba",
    "Toffee",
    "Willi",
]
BEGINS = (
    "{owner} came in with {pet} today.",
    "Saw {pet}, the {animal} of {owner}.",
    "{pet} was brought by {owner} because of the left ear.",
)
WEIGHTS = (
    "The {animal} weighs {weight} kg now, after {before} kg in spring.",
    "It was {before} kg last time and is {weight} kg today.",
    "On the scales: {weight} kg (last visit {before} kg, so {pet} should eat less).",
    "Weight today {weight} kg.",
    "Still too heavy for my taste: {weight} kg, although {before} kg at the last visit was not much better.",
    "It lost its appetite, I measured {weight} kg instead of {before} kg.",
)
NEXTS = (
    "I want to see {pet} again on {day}.",
    "Next visit: {day}.",
    "They come back on {day} for the stitches.",
    "On {day} we look at the teeth.",
    "We agreed on {day} for the next check.",
)
NEVER = ("No further visit needed.", "{pet} need not come back.", "All is well, nothing more to be done.")
EXTRAS = (
    "Vaccinated on {other}.",
    "The stool sample goes to the lab.",
    "The neighbour's dog is due on {other}.",
    "Gave 2 tablets for the journey.",
    "The puppy of 1.5 kg they asked about is not for sale.",
)


def make(rng: random.Random) -> Commission:
    files: dict[str, str] = {}
    rows: list[tuple[Cell, ...]] = []
    count = rng.randint(6, 14)
    for index, (owner, pet) in enumerate(zip(people(rng, count), rng.sample(PETS, count), strict=True)):
        weight = rng.randint(21, 380)
        before, back = weight + rng.choice((-9, -4, 3, 12)), day(rng, date(2026, 7, 1), 120)
        other = day(rng, date(2026, 3, 1), 60)
        words = {
            "owner": owner, "pet": pet, "animal": rng.choice(("cat", "dog", "rabbit")), "weight": f"{weight / 10:.1f}",
            "before": f"{before / 10:.1f}", "day": _spelled(rng, back), "other": _spelled(rng, other),
        }  # fmt: skip
        comes = rng.random() < 0.75
        middle = [rng.choice(WEIGHTS), *rng.sample(EXTRAS, rng.randint(0, 2))]
        rng.shuffle(middle)
        parts = [rng.choice(BEGINS), *middle, rng.choice(NEXTS if comes else NEVER)]
        file = f"note{index + 1:02}.txt"
        files[f"notes/{file}"] = " ".join(parts).format(**words) + "\n"
        rows.append((file, pet, owner, Decimal(weight) / 10, back.isoformat() if comes else ""))
    terms = {"folder": "notes", "year": "2026", "out": rng.choice(("patients.csv", "animals.csv"))}
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def _spelled(rng: random.Random, moment: date) -> str:
    month = MONTHS[moment.month - 1]
    return rng.choice((f"{moment.day} {month}", f"{month} {moment.day}", f"the {moment.day}. of {month}"))


def solve(folder: Path, terms: Terms) -> Aim:
    rows: list[tuple[Cell, ...]] = []
    months = "|".join(MONTHS)
    for path in sorted((folder / terms["folder"]).iterdir()):
        text = path.read_text(encoding="utf-8")
        owner = re.findall(
            r"^([A-Z]\w+ [A-Z]\w+) came|of ([A-Z]\w+ [A-Z]\w+)\.|by ([A-Z]\w+ [A-Z]\w+) ", text
        )[0]
        pet = re.findall(r"with (\w+) today|Saw (\w+),|^(\w+) was brought", text)[0]
        weight = re.findall(r"(?:weighs|and is|scales:|today|taste:|measured) ([\d.]+) kg", text)[0]
        back = re.findall(
            rf"(?:(?:again|visit:|back|agreed)(?: on)?|On)(?: the)? (?:(\d+)\.?(?: of)? ({months})|({months}) (\d+))",
            text,
        )
        visit = ""
        if back:
            first, month, other, second = back[0]
            visit = date(
                int(terms["year"]), MONTHS.index(month or other) + 1, int(first or second)
            ).isoformat()
        rows.append((path.name, "".join(pet), "".join(owner), Decimal(weight), visit))
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})


KIND = Kind(make, solve)
