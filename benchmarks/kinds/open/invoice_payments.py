"""Invoices and what was paid on them."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from benchmarks.kinds.folder import csv_text
from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms, Tree
from benchmarks.kinds.words import cents, firms, money

COLUMNS = ("invoice", "customer", "open")
STATES = ("paid", "partly", "unpaid", "overpaid")
WORDINGS = (
    "Match payments.csv with invoices.csv. {out} gets the columns invoice, customer, open for every invoice that is "
    "not fully paid yet, open being the amount still missing. {summary} gets a JSON object with the numbers of "
    "invoices that are paid, partly, unpaid, overpaid (those four keys). Cancelled invoices are ignored in both.",
    "Could you check which invoices are still open? invoices.csv is what we billed, payments.csv what came in (some "
    "customers pay in parts). I'd like {out} with invoice, customer and open (what's still missing, only where "
    'something is missing), and {summary}, a JSON object like {{"paid": 0, "partly": 0, "unpaid": 0, "overpaid": 0}} '
    "counting the invoices in each state. Forget about the cancelled ones.",
    "Please reconcile the invoices with the payments received. Two files are required. (1) {out}: invoice, customer, "
    "open - all invoices with an outstanding amount and that amount. (2) {summary}: a JSON object with the keys paid, "
    "partly, unpaid and overpaid and the number of invoices in each of these states. Invoices whose status is "
    "cancelled are not considered.",
    "Month end. Need to know who still has to pay. Take invoices.csv and payments.csv and write (a) "
    "{out} with columns invoice, customer, open = rest to be paid, only where there is a rest; (b) "
    "{summary}: JSON object, how many invoices are paid / partly / unpaid / overpaid (use these words as "
    "keys). Cancelled ones don't exist for us.",
)


def make(rng: random.Random) -> Commission:
    separator, mark = rng.choice(((",", "."), (";", ","), (";", ".")))
    clients = firms(rng, rng.randint(5, 12))
    invoices: list[tuple[str, str, str, str]] = []
    payments: list[tuple[str, str, str]] = []
    rows: list[tuple[str, str, Decimal]] = []
    counts = dict.fromkeys(STATES, 0)
    for number in range(rng.randint(25, 400)):
        invoice, client, amount = f"R{2600 + number}", rng.choice(clients), cents(rng, 20, 3000)
        is_void = rng.random() < 0.06
        invoices.append((invoice, client, money(amount, mark), "cancelled" if is_void else "sent"))
        state = rng.choices(STATES, (8, 3, 3, 1))[0]
        paid = {
            "paid": amount,
            "partly": rng.randint(500, amount - 300),
            "unpaid": 0,
            "overpaid": amount + rng.randint(5, 4000),
        }[state]
        payments += [(_paid_on(rng), invoice, money(part, mark)) for part in _parts(rng, paid)]
        if is_void:
            continue
        counts[state] += 1
        if paid < amount:
            rows.append((invoice, client, Decimal(amount - paid) / 100))
    rng.shuffle(payments)
    rng.shuffle(invoices)
    files = {
        "invoices.csv": csv_text(("invoice", "customer", "amount", "status"), invoices, separator),
        "payments.csv": csv_text(("date", "invoice", "amount"), payments, separator),
    }
    terms = {"out": rng.choice(("open_invoices.csv", "outstanding.csv")), "summary": "summary.json"}
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(rows)), terms["summary"]: Tree(counts)})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def _paid_on(rng: random.Random) -> str:
    return f"2026-{rng.randint(1, 6):02}-{rng.randint(1, 28):02}"


def _parts(rng: random.Random, paid: int) -> list[int]:
    if not paid:
        return []
    if rng.random() < 0.7 or paid < 300:
        return [paid]
    first = rng.randint(100, paid - 100)
    return [first, paid - first]


def solve(folder: Path, terms: Terms) -> Aim:
    received: dict[str, Decimal] = defaultdict(Decimal)
    for row in _rows(folder / "payments.csv"):
        received[row["invoice"]] += Decimal(row["amount"].replace(",", "."))
    rows: list[tuple[str, str, Decimal]] = []
    counts = dict.fromkeys(STATES, 0)
    for row in _rows(folder / "invoices.csv"):
        if row["status"] == "cancelled":
            continue
        amount, paid = Decimal(row["amount"].replace(",", ".")), received[row["invoice"]]
        if paid >= amount:
            counts["paid" if paid == amount else "overpaid"] += 1
        else:
            counts["partly" if paid else "unpaid"] += 1
            rows.append((row["invoice"], row["customer"], amount - paid))
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(rows)), terms["summary"]: Tree(counts)})


def _rows(path: Path) -> list[dict[str, str]]:
    text = path.read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter=";" if ";" in text.splitlines()[0] else ","))


KIND = Kind(make, solve)
