"""A club's database: who has not paid in full."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

from benchmarks.kinds.folder import database, rows_of
from benchmarks.kinds.kind import Aim, Commission, Kind, Terms
from benchmarks.kinds.words import people

WORDINGS = (
    "How many active members have not fully paid their fee for {year}, and how much is missing altogether? See {db}. "
    "Who has left does not owe anything.",
    "I'm the treasurer of our club and {db} has the members, what each group has to pay a year, and the payments. For "
    "{year}: how many of the members who haven't left still owe us something, and what does it come to in total? Some "
    "pay in two or three parts.",
    "Please determine from the database {db} the number of current members (not left) whose payments for {year} do not "
    "reach the yearly fee of their group, and the total outstanding amount.",
    "Annual meeting is tomorrow and I need two numbers for {year} from {db}: the number of members that "
    "are still with us and have paid less than their group's yearly fee for that year (or nothing), and "
    "the sum of what they owe.",
)
SCRIPT = """
CREATE TABLE fee_groups (name TEXT PRIMARY KEY, yearly_fee INTEGER);
CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT, fee_group TEXT, joined TEXT, left_on TEXT);
CREATE TABLE payments (id INTEGER PRIMARY KEY, member INTEGER, year INTEGER, amount INTEGER, paid_on TEXT);
"""


def make(rng: random.Random) -> Commission:
    year = rng.choice((2024, 2025))
    fees = {
        "adult": rng.randint(80, 140),
        "youth": rng.randint(30, 60),
        "family": rng.randint(150, 220),
        "honorary": 0,
    }
    members: list[tuple[object, ...]] = []
    payments: list[tuple[object, ...]] = []
    owing, missing = 0, 0
    for number, name in enumerate(people(rng, rng.randint(40, 140)), 1):
        group = rng.choices(list(fees), (6, 3, 3, 1))[0]
        left = f"{year - 1}-12-31" if rng.random() < 0.15 else None
        members.append((number, name, group, f"{rng.randint(2001, year - 1)}-01-01", left))
        paid = rng.choices((fees[group], fees[group] // 2, 0), (6, 2, 2))[0]
        parts = [paid // 3, paid - paid // 3] if paid and rng.random() < 0.3 else [paid]
        for wanted, amounts in ((year, parts), (year - 1, [fees[group]])):
            for amount in filter(None, amounts):
                payments.append((
                    len(payments) + 1,
                    number,
                    wanted,
                    amount,
                    f"{wanted}-0{rng.randint(1, 9)}-15",
                ))
        if left is None and paid < fees[group]:
            owing, missing = owing + 1, missing + fees[group] - paid
    terms = {"year": str(year), "db": rng.choice(("club.db", "members.sqlite"))}
    tables = {"fee_groups": fees.items(), "members": members, "payments": payments}
    files = {terms["db"]: database(SCRIPT, tables)}
    return Commission(rng.choice(WORDINGS).format(**terms), files, Aim(said=(owing, missing)), terms)


def solve(folder: Path, terms: Terms) -> Aim:
    query = f"""SELECT g.yearly_fee - coalesce((SELECT sum(p.amount) FROM payments p WHERE p.member = m.id AND p.year = {terms["year"]}), 0)
        FROM members m JOIN fee_groups g ON g.name = m.fee_group WHERE m.left_on IS NULL"""
    owed = [Decimal(str(amount)) for (amount,) in rows_of(folder / terms["db"], query)]
    open_amounts = [amount for amount in owed if amount > 0]
    return Aim(said=(len(open_amounts), int(sum(open_amounts))))


KIND = Kind(make, solve)
