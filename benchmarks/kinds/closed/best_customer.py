"""A shop's database: who bought the most."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from pathlib import Path

from benchmarks.kinds.folder import database, rows_of
from benchmarks.kinds.kind import Aim, Commission, Kind, Terms
from benchmarks.kinds.words import CITIES, GOODS, firms, some

WORDINGS = (
    "Which customer bought the most in {month}, by value, and for how much? {db}. Cancelled orders don't count.",
    "We'd like to send a present to the customer who spent the most with us in {month}. Who is it, and how much was it? "
    "It's all in {db}. Orders that were cancelled mustn't count, of course.",
    "Using the database {db}, name the customer with the highest turnover from orders placed in {month} (without "
    "cancelled orders) and state this turnover.",
    "Who is our customer of the month for {month}? I mean the one who ordered for the most money (not "
    "counting what was cancelled). I also need the sum. The data is in {db}.",
)
SCRIPT = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE articles (code TEXT PRIMARY KEY, title TEXT, price INTEGER);
CREATE TABLE orders (number INTEGER PRIMARY KEY, customer INTEGER, ordered_on TEXT, status TEXT);
CREATE TABLE order_lines (order_number INTEGER, article TEXT, quantity INTEGER);
"""
MONTHS = {"January 2026": "2026-01", "March 2026": "2026-03", "May 2026": "2026-05"}


def make(rng: random.Random) -> Commission:
    month = rng.choice(list(MONTHS))
    clients = firms(rng, rng.randint(8, 18))
    goods = {
        f"A{number}": (title, rng.randint(3, 240)) for number, title in enumerate(some(rng, GOODS, 8, 20), 10)
    }
    orders: list[tuple[object, ...]] = []
    lines: list[tuple[object, ...]] = []
    spent: Counter[str] = Counter()
    for number in range(1, rng.randint(120, 500)):
        client = rng.randrange(len(clients))
        stamp = f"{rng.choice(('2025-03', '2025-05', *MONTHS.values()))}-{rng.randint(1, 28):02}"
        status = rng.choices(("sent", "paid", "cancelled"), (5, 5, 2))[0]
        orders.append((number, client + 1, stamp, status))
        for code in some(rng, list(goods), 1, 4):
            quantity = rng.randint(1, 12)
            lines.append((number, code, quantity))
            if status != "cancelled" and stamp.startswith(MONTHS[month]):
                spent[clients[client]] += quantity * goods[code][1]
    (best, amount), (_, second) = spent.most_common(2)
    if amount == second:
        return make(rng)
    terms = {"db": rng.choice(("shop.db", "sales.sqlite")), "month": month}
    tables: dict[str, list[tuple[object, ...]]] = {
        "customers": [(number, name, rng.choice(CITIES)) for number, name in enumerate(clients, 1)],
        "articles": [(code, title, price) for code, (title, price) in goods.items()],
        "orders": orders,
        "order_lines": lines,
    }
    files = {terms["db"]: database(SCRIPT, tables)}
    return Commission(rng.choice(WORDINGS).format(**terms), files, Aim(said=(best, amount)), terms)


def solve(folder: Path, terms: Terms) -> Aim:
    query = f"""SELECT c.name, sum(l.quantity * a.price) AS spent FROM order_lines l
        JOIN orders o ON o.number = l.order_number JOIN customers c ON c.id = o.customer JOIN articles a ON a.code = l.article
        WHERE o.status <> 'cancelled' AND o.ordered_on LIKE '{MONTHS[terms["month"]]}%' GROUP BY c.id ORDER BY spent DESC"""
    name, spent = rows_of(folder / terms["db"], query)[0]
    return Aim(said=(str(name), Decimal(str(spent))))


KIND = Kind(make, solve)
