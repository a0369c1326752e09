"""Reports of branches, to be held against a database."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from pathlib import Path

from benchmarks.kinds.folder import database, rows_of
from benchmarks.kinds.kind import Aim, Cell, Commission, Kind, Sheet, Terms
from benchmarks.kinds.words import CITIES, cents, money, people, some

COLUMNS = ("branch", "reported", "recorded")
WORDINGS = (
    "The branches sent their {what} reports for {month} (folder reports), and what was booked is in {db}. Where do the "
    "two differ? I need {out} with the columns branch, reported, recorded, one row for each branch where the amounts "
    "are not the same. If a branch is missing on one side leave that amount empty. And tell me how many branches agree.",
    "Compare the {what} in reports/*.txt with the table in {db} for {month}. Differences to {out} (branch, reported, "
    "recorded). Branches that have only a report or only an entry in the database go in too, with the other field "
    "empty. Answer with the number of branches that match.",
    "Dear colleague, for the audit of {month} kindly compare the {what} stated in each branch report (folder reports) "
    "with the amount recorded in the database {db}. List every deviation in {out} with the columns branch, reported "
    "and recorded; where no report or no record exists, the field stays empty. In your reply please state in how many "
    "branches both amounts are equal.",
    "Our branches report {what} by text file (in reports), bookkeeping has its own numbers in {db}. For "
    "{month}, which branches do not agree? Table to {out}: branch, reported, recorded. A branch only one "
    "of the two knows is a difference as well, leave the unknown number blank. How many branches are "
    "fine?",
)
MONTHS = ("January 2026", "February 2026", "March 2026", "April 2026", "May 2026")
LAYOUTS = (
    "Monthly report\n\nBranch: {branch}\nManager: {manager}\nMonth: {month}\nCustomers: {guests}\nRevenue: {amount}\nCosts: {costs}\n\n{remark}\n",
    "BRANCH   {branch}\nMONTH    {month}\n\nCUSTOMERS  {guests}\nCOSTS      {costs}\nREVENUE    {amount}\n\nNote: {remark}\nSigned: {manager}\n",
)
REMARKS = (
    "Last month's revenue was {n}.",
    "All quiet.",
    "We expect revenue of {n} next month.",
    "The heating has been mended.",
)


def make(rng: random.Random) -> Commission:
    branches = rng.sample(CITIES, rng.randint(12, 19))
    month, other = rng.sample(MONTHS, 2)
    layout, managers = rng.choice(LAYOUTS), people(rng, len(branches))
    odd = some(rng, branches, 3, 5)
    unreported, unrecorded = odd[0], odd[1]
    files: dict[str, str | bytes] = {}
    records: list[tuple[object, ...]] = []
    rows: list[tuple[Cell, ...]] = []
    for branch, manager in zip(branches, managers, strict=True):
        amount, costs = cents(rng, 2000, 90000), cents(rng, 900, 1900)
        booked = amount + rng.choice((-9000, 10000, 27, -180)) if branch in odd else amount
        if branch != unreported:
            remark = rng.choice(REMARKS).format(n=money(amount + 4321))
            filled = layout.format(
                branch=branch, manager=manager, month=month, guests=rng.randint(90, 900), costs=money(costs),
                amount=f"{amount / 100:,.2f}", remark=remark,
            )  # fmt: skip
            files[f"reports/{branch.lower()}.txt"] = filled
        if branch != unrecorded:
            records.append((branch, month, booked / 100, costs / 100))
        records.append((branch, other, (amount + 777) / 100, costs / 100))
        if branch in odd:
            reported = "" if branch == unreported else Decimal(amount) / 100
            rows.append((branch, reported, "" if branch == unrecorded else Decimal(booked) / 100))
    script = "CREATE TABLE monthly (branch TEXT, month TEXT, revenue REAL, costs REAL)"
    rng.shuffle(records)
    terms = {
        "what": "revenue",
        "month": month,
        "db": rng.choice(("books.db", "accounts.sqlite")),
        "out": "differences.csv",
    }
    files[terms["db"]] = database(script, {"monthly": records})
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))}, (len(branches) - len(odd),))
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def solve(folder: Path, terms: Terms) -> Aim:
    reported: dict[str, Decimal] = {}
    for path in (folder / "reports").iterdir():
        text = path.read_text(encoding="utf-8")
        branch = re.findall(r"^branch:?\s+(.+)$", text, re.IGNORECASE | re.MULTILINE)[0]
        amount = re.findall(r"^revenue:?\s+([\d.,]+)$", text, re.IGNORECASE | re.MULTILINE)[0]
        reported[branch] = Decimal(amount.replace(",", ""))
    query = f"SELECT branch, revenue FROM monthly WHERE month = '{terms['month']}'"
    recorded = {
        str(branch): Decimal(f"{amount:.2f}") for branch, amount in rows_of(folder / terms["db"], query)
    }
    rows: list[tuple[Cell, ...]] = []
    equal = 0
    for branch in sorted({*reported, *recorded}):
        if reported.get(branch) == recorded.get(branch):
            equal += 1
        else:
            rows.append((branch, reported.get(branch, ""), recorded.get(branch, "")))
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))}, (equal,))


KIND = Kind(make, solve)
