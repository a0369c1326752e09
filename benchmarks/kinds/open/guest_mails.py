"""Mails of guests in their own words, to be read into a table of bookings."""

from __future__ import annotations

import random
import re
from datetime import date
from pathlib import Path

from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms
from benchmarks.kinds.said import MONTHS, WORDS
from benchmarks.kinds.words import day, people

COLUMNS = ("file", "name", "arrival", "nights", "guests")
WORDINGS = (
    "Read the mails in {folder} and make {out}: file, name, arrival, nights, guests. arrival as YYYY-MM-DD (all for "
    "{year}), nights and guests as numbers, children are guests too.",
    "We run a small guest house and people write us as they like. Could you read the mails in {folder} and put the "
    "bookings into {out}? Columns: file (name of the file), name (who wrote), arrival (YYYY-MM-DD, it's all {year}), "
    "nights, and guests, grown-ups and children together.",
    "Transfer the booking requests in {folder} to {out} with the columns file, name, arrival, nights and guests. "
    "Arrival dates in the form YYYY-MM-DD, the year is {year} throughout. Guests is the total number of persons "
    "including children.",
    "need all booking mails from {folder} in one table for the cleaning people -> {out}, columns file, "
    "name, arrival, nights, guests. Arrival like {year}-12-31 (every mail is for {year}). Count kids as "
    "guests.",
)
OPENINGS = ("Hello,", "Dear hosts,", "Good morning,", "Hi there!")
STAYS = (
    "we would like to come on {day} and stay for {nights} nights.",
    "is there a room free from {day}? We'd stay {nights} nights.",
    "we plan a trip to your region; arriving {day}, {nights} nights in all.",
    "my doctor says I need some rest, so please book {nights} nights for us, starting {day}.",
    "could you keep a quiet room for {nights} nights? We'd get to you on {day}, rather late.",
    "{day} is when our holidays begin, and on that day we'd like to move in with you, for {nights} nights.",
)
PARTIES = (
    ("We are {adults} adults and {children} children.", True),
    ("There will be {adults} grown-ups, and {children} kids come along.", True),
    ("We are {adults} adults.", False),
    ("It's a party of {adults}.", False),
    ("Besides us, {adults} adults in all, our {children} kids are looking forward to it.", True),
    ("The {children} children sleep in one bed, we {adults} adults don't.", True),
)
EXTRAS = (
    "Last year we stayed 5 nights and liked it a lot.",
    "A friend of ours was with you in March with 6 people.",
    "Breakfast at 8 would be lovely.",
    "We come by train.",
    "Our 2 dogs stay at home.",
    "The 4 neighbours you know send their love.",
    "Is the lake warm enough to swim?",
)
CLOSINGS = ("Kind regards,", "Best wishes", "Thank you!", "See you soon,")


def make(rng: random.Random) -> Commission:
    files: dict[str, str] = {}
    rows: list[tuple[str, str, str, int, int]] = []
    for index, name in enumerate(people(rng, rng.randint(6, 14))):
        arrival = day(rng, date(2026, 5, 1), 150)
        nights, adults, children = rng.randint(2, 9), rng.randint(2, 6), rng.randint(2, 4)
        party, has_children = rng.choice(PARTIES)
        month = MONTHS[arrival.month - 1]
        when = rng.choice((
            f"{arrival.day} {month}",
            f"{month} {arrival.day}",
            f"the {arrival.day}. of {month}",
        ))
        stay = rng.choice(STAYS).format(day=when, nights=_count(rng, nights))
        sentences = [party.format(adults=_count(rng, adults), children=_count(rng, children))]
        sentences += rng.sample(EXTRAS, rng.randint(0, 2))
        rng.shuffle(sentences)
        file = f"mail{index + 1:02}.txt"
        body = f"{stay} {' '.join(sentences)}"
        files[f"mails/{file}"] = f"{rng.choice(OPENINGS)}\n\n{body}\n\n{rng.choice(CLOSINGS)}\n{name}\n"
        rows.append((file, name, arrival.isoformat(), nights, adults + children * has_children))
    terms = {
        "folder": "mails",
        "year": "2026",
        "out": rng.choice(("bookings.csv", "guests.csv", "requests.csv")),
    }
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def _count(rng: random.Random, number: int) -> str:
    return rng.choice((str(number), WORDS[number]))


def solve(folder: Path, terms: Terms) -> Aim:
    rows: list[tuple[str, str, str, int, int]] = []
    for path in sorted((folder / terms["folder"]).iterdir()):
        text = path.read_text(encoding="utf-8").strip()
        plain = re.sub(r"(?:Last year|A friend)[^.]*\.", "", text)
        months = "|".join(MONTHS)
        found = re.findall(rf"(\d+)\.?(?: of)? ({months})|({months}) (\d+)", plain)[0]
        arrival = date(int(terms["year"]), MONTHS.index(found[1] or found[2]) + 1, int(found[0] or found[3]))
        nights = re.findall(r"(\w+) nights", plain)[0]
        guests = re.findall(r"(\w+) (?:adults|grown-ups|children|kids)|party of (\w+)", plain)
        total = sum(_number(first or second) for first, second in guests)
        rows.append((path.name, text.splitlines()[-1], arrival.isoformat(), _number(nights), total))
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})


def _number(text: str) -> int:
    return int(text) if text.isdigit() else WORDS.index(text)


KIND = Kind(make, solve)
