"""Contracts that replace one another, to be followed to the one in force."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from pathlib import Path

from benchmarks.kinds.kind import Aim, Commission, Kind, Terms
from benchmarks.kinds.words import cents, firms, money

WORDINGS = (
    "{client} signed contract {first} with us years ago. Which contract of theirs is in force now, and what is its "
    "monthly fee? The contracts are in {folder}, each one says by which it was replaced.",
    "Question from {client}: they only remember their first contract, {first}. Contracts have been replaced several "
    "times since. What is the number of the one that counts today, and how much do they pay a month under it? "
    "Everything is in {folder}.",
    "Starting with {first} in {folder}, follow the replacements until the contract that has not been replaced. Tell "
    "its number and its monthly fee.",
    "A lady from {client} is on the phone and asks about contract {first}. I know it was replaced, "
    "probably more than once. Please look in {folder} for the contract that is valid now. I need its "
    "number and the monthly fee.",
)
PHRASES = ("Replaced by: {next}", "This contract has been superseded by {next}.", "Status: ended, see {next}")
OTHERS = (
    "It replaces {other}.",
    "Compare the offer made in {other}.",
    "The terms of delivery are those of {other}.",
    "Signed in two copies.",
)


def make(rng: random.Random) -> Commission:
    count = rng.randint(24, 40)
    numbers = [f"C-{number}" for number in rng.sample(range(1001, 1999), count)]
    clients = firms(rng, 4)
    length = rng.randint(5, 8)
    chains = [numbers[i * length : (i + 1) * length] for i in range(min(4, count // length))]
    files: dict[str, str] = {}
    fees = [Decimal(cents(rng, 40, 900)) / 100 for _ in chains[0]]
    for client, chain in zip(clients, chains, strict=False):
        for place, number in enumerate(chain):
            fee = money(int(fees[place] * 100)) if chain is chains[0] else money(cents(rng, 40, 900))
            following = chain[place + 1] if place + 1 < len(chain) else None
            remark = rng.choice(OTHERS).format(other=rng.choice([n for n in numbers if n != number]))
            status = rng.choice(PHRASES).format(next=following) if following else "Status: in force"
            parts = [remark, status]
            rng.shuffle(parts)
            files[f"contracts/{number}.txt"] = "\n".join((
                f"Contract {number}", f"Client: {client}", f"Monthly fee: {fee} EUR", f"Notice: {rng.randint(1, 6)} months", "", *parts, "",
            ))  # fmt: skip
    terms = {"client": clients[0], "first": chains[0][0], "folder": "contracts"}
    aim = Aim(said=(chains[0][-1], fees[-1]))
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def solve(folder: Path, terms: Terms) -> Aim:
    number = terms["first"]
    for _ in range(100):
        text = (folder / terms["folder"] / f"{number}.txt").read_text(encoding="utf-8")
        following = re.findall(r"(?:Replaced by:|superseded by|ended, see) (C-\d+)", text)
        if not following:
            return Aim(said=(number, Decimal(re.findall(r"Monthly fee: ([\d.]+)", text)[0])))
        number = following[0]
    raise ValueError(f"the contracts go round in a circle from {terms['first']!r}")


KIND = Kind(make, solve)
