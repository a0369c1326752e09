"""Letters from customers, to be put into a table, and the earliest of them."""

from __future__ import annotations

import random
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms
from benchmarks.kinds.said import MONTHS
from benchmarks.kinds.words import CITIES, GOODS, cents, day, money, people

COLUMNS = ("file", "sender", "customer", "date", "amount")
WORDINGS = (
    "Put the letters in {folder} into {out}: file, sender, customer, date, amount. file is the file's name, customer "
    "the customer number, date the date of the letter as YYYY-MM-DD, amount the sum claimed as a number without "
    "currency. Then tell me the date of the earliest letter.",
    "I've got a pile of complaint letters ({folder}) and would like them in a spreadsheet, {out}, with the columns "
    "file, sender, customer, date and amount: name of the file, who wrote it, their customer number, when the letter "
    "was written (YYYY-MM-DD please) and how much money they want back (just the number). What's the earliest date?",
    "From the letters in {folder} the file {out} is to be made with the columns file (file name), sender (full name), "
    "customer (customer number), date (date of the letter, YYYY-MM-DD) and amount (amount claimed, number only). "
    "Reply with the date of the oldest letter.",
    "All letters in {folder} -> {out}. One row per letter: file (its name), sender (first and last "
    "name), customer (number), date (day it was written, YYYY-MM-DD), amount (what they claim, without "
    "EUR). And which is the date of the very first one?",
)
LETTERS = (
    "{sender}\n{street}\n{city}\n\n{date}\n\nCustomer number: {customer}\nSubject: {goods}\n\nDear Sir or Madam,\n\n{story}\n\nI claim back {amount}.\n\nYours faithfully,\n{sender}\n",
    "Date: {date}\nCustomer number: {customer}\nFrom: {sender}, {street}, {city}\n\nHello,\n\n{story}\nPlease refund me {amount}.\n\nBest wishes\n{sender}\n",
    "{city}, {date}\n\nRe: my customer number {customer}, {goods}\n\nTo whom it may concern:\n\n{story} The sum I ask to be paid back is {amount}.\n\nSincerely\n\n{sender}\n{street}\n{city}\n",
)
STORIES = (
    "On {other} I bought a {goods} for {price} in your shop. It broke after a week.",
    "The {goods} delivered on {other} was not the one I had ordered. The order came to {price} in all.",
    "Your colleague promised me on {other} to send a new {goods} (price {price}). Nothing has come.",
)
STREETS = ("Mill Lane", "Station Road", "High Street", "Old Market", "Harbour Way")


def make(rng: random.Random) -> Commission:
    count = rng.randint(6, 16)
    files: dict[str, str] = {}
    rows: list[tuple[str, str, str, str, Decimal]] = []
    days = rng.sample(range(300), count)
    for index, sender in enumerate(people(rng, count)):
        written = date.fromordinal(date(2025, 9, 1).toordinal() + days[index])
        other = day(rng, date(2025, 3, 1), 150)
        claimed = cents(rng, 5, 400)
        name = f"letter_{index + 1:02}.txt"
        customer = f"{rng.choice('KMR')}{rng.randint(10000, 99999)}"
        goods = rng.choice(GOODS)
        story = rng.choice(STORIES).format(
            goods=goods, other=_spelled(rng, other), price=_priced(rng, claimed + 1500)
        )
        files[f"letters/{name}"] = rng.choice(LETTERS).format(
            sender=sender, street=f"{rng.choice(STREETS)} {rng.randint(1, 90)}", city=rng.choice(CITIES),
            date=_spelled(rng, written), customer=customer, goods=goods, story=story, amount=_priced(rng, claimed),
        )  # fmt: skip
        rows.append((name, sender, customer, written.isoformat(), Decimal(claimed) / 100))
    terms = {"folder": "letters", "out": rng.choice(("letters.csv", "complaints.csv", "claims.csv"))}
    earliest = min(date.fromisoformat(row[3]) for row in rows)
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))}, (earliest,))
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def _spelled(rng: random.Random, written: date) -> str:
    month = MONTHS[written.month - 1]
    return rng.choice((
        f"{written.day} {month} {written.year}",
        f"{month} {written.day}, {written.year}",
        written.isoformat(),
    ))


def _priced(rng: random.Random, amount: int) -> str:
    return rng.choice(("{} EUR", "EUR {}", "{} euros")).format(money(amount))


def solve(folder: Path, terms: Terms) -> Aim:
    rows: list[tuple[str, str, str, str, Decimal]] = []
    for path in sorted((folder / terms["folder"]).iterdir()):
        text = path.read_text(encoding="utf-8")
        closing = re.findall(r"(?:faithfully,|wishes|Sincerely)\s+(.+)", text)[0]
        customer = re.findall(r"customer number:? (\w+)", text, re.IGNORECASE)[0]
        head = re.split(r"Dear|Hello|To whom", text)[0]
        written = _date(re.findall(r"\d+ [A-Z][a-z]+ \d{4}|[A-Z][a-z]+ \d+, \d{4}|\d{4}-\d\d-\d\d", head)[0])
        claimed = re.findall(r"(?:claim back|refund me|paid back is)\s+(?:EUR )?([\d.]+\d)", text)[0]
        rows.append((path.name, closing, customer, written.isoformat(), Decimal(claimed)))
    earliest = date.fromisoformat(min(row[3] for row in rows))
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))}, (earliest,))


def _date(text: str) -> date:
    form = "%Y-%m-%d" if "-" in text else "%B %d, %Y" if "," in text else "%d %B %Y"
    return datetime.strptime(text, form).date()


KIND = Kind(make, solve)
