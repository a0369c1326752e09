"""Flat tables of orders and their lines, to be turned into nested JSON."""

from __future__ import annotations

import csv
import random
from decimal import Decimal
from pathlib import Path

from benchmarks.kinds.folder import csv_text
from benchmarks.kinds.kind import Aim, Commission, Kind, Terms, Tree
from benchmarks.kinds.words import GOODS, cents, firms, money, some

WORDINGS = (
    'Make {out} from orders.csv and lines.csv: a JSON list with an object for each order, {{"order": text, "customer": '
    'text, "lines": [{{"article": text, "quantity": number, "price": number}}], "total": number}}. total is the sum '
    "of quantity times price. Orders without lines have an empty list and total 0.",
    "Our new shop software wants the orders as JSON. The old one gives two tables, orders.csv and lines.csv. Please "
    "convert them to {out}: a list of orders, each with order (its number, as text), customer, lines and total. lines "
    "is a list of objects with article, quantity and price (quantity and price as numbers), total is what the order "
    "comes to. If an order has no lines it still belongs in there, with [] and 0.",
    "Convert the tables orders.csv and lines.csv into the file {out}, a JSON array. Each element is an order with the "
    "keys order (string), customer (string), lines (array of objects with article as string, quantity and price as "
    "numbers) and total (number, sum over the lines of quantity multiplied by price, 0 without lines).",
    "From orders.csv + lines.csv build {out} for the web shop. JSON, a list; per order: order (text), "
    "customer (text), lines (list of article, quantity, price objects, the last two numbers) and total "
    "(number: all quantity x price added up). Also orders that have no lines (then lines is empty and "
    "total 0).",
)


def make(rng: random.Random) -> Commission:
    separator, mark = rng.choice(((",", "."), (";", ","), (";", ".")))
    clients = firms(rng, rng.randint(4, 10))
    orders: list[tuple[str, str]] = []
    lines: list[tuple[str, str, int, str]] = []
    value: list[dict[str, object]] = []
    for number in range(rng.randint(12, 60)):
        order, client = f"{rng.choice('AB')}{number + 100:05}", rng.choice(clients)
        orders.append((order, client))
        nested: list[dict[str, object]] = []
        total = 0
        for goods in some(rng, GOODS, 0, 4):
            quantity, price = rng.randint(1, 20), cents(rng, 1, 90)
            lines.append((order, goods, quantity, money(price, mark)))
            nested.append({"article": goods, "quantity": quantity, "price": Decimal(price) / 100})
            total += quantity * price
        value.append({"order": order, "customer": client, "lines": nested, "total": Decimal(total) / 100})
    rng.shuffle(lines)
    files = {
        "orders.csv": csv_text(("order", "customer"), orders, separator),
        "lines.csv": csv_text(("order", "article", "quantity", "price"), lines, separator),
    }
    terms = {"out": rng.choice(("orders.json", "export.json", "shop_orders.json"))}
    return Commission(rng.choice(WORDINGS).format(**terms), files, Aim({terms["out"]: Tree(value)}), terms)


def solve(folder: Path, terms: Terms) -> Aim:
    value: list[dict[str, object]] = []
    lines = _rows(folder / "lines.csv")
    for order in _rows(folder / "orders.csv"):
        nested: list[dict[str, object]] = []
        total = Decimal(0)
        for line in lines:
            if line["order"] == order["order"]:
                quantity, price = int(line["quantity"]), Decimal(line["price"].replace(",", "."))
                nested.append({"article": line["article"], "quantity": quantity, "price": price})
                total += quantity * price
        value.append({
            "order": order["order"],
            "customer": order["customer"],
            "lines": nested,
            "total": total,
        })
    return Aim({terms["out"]: Tree(value)})


def _rows(path: Path) -> list[dict[str, str]]:
    text = path.read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter=";" if ";" in text.splitlines()[0] else ","))


KIND = Kind(make, solve)
