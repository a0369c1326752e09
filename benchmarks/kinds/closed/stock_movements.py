"""A stock, and what came in and went out."""

from __future__ import annotations

import csv
import random
import re
from pathlib import Path

from benchmarks.kinds.folder import csv_text
from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms
from benchmarks.kinds.words import GOODS, some

COLUMNS = ("article", "stock", "below_minimum")
WORDINGS = (
    "Stock at the start of the month is in {stock}, the movements in {folder}. What is there now? {out}: article, stock, "
    "below_minimum (yes or no). Which article is furthest below its minimum?",
    "Could you work out what we should have on the shelves? {stock} was counted on the first, and every delivery and sale "
    "since is in {folder} (in adds, out takes away, count means somebody counted and the number is what was there). I'd "
    "like {out} with article, stock and below_minimum, yes or no. Also name the article that lacks the most to its "
    "minimum.",
    "Calculate the current stock from {stock} and the movements in {folder}, in the order of their dates. The result, "
    "{out}, has the columns article, stock and below_minimum (yes where the stock is less than the minimum, otherwise "
    "no), with all articles. In your reply name the article with the largest shortfall against its minimum.",
    "Inventory check! Begin with {stock}, apply what is in {folder} (its readme tells what the kinds "
    "mean), and write {out}: article, stock, below_minimum. below_minimum is yes or no. All articles "
    "please. Then say which one is missing most compared with its minimum, I'll order that first.",
)
NOTE = "Movements: in = delivered, out = sold or broken, count = counted by hand, the number is what was there then.\n"


def make(rng: random.Random) -> Commission:
    goods = some(rng, GOODS, 10, 20)
    start = {name: rng.randint(20, 200) for name in goods}
    minimum = {name: rng.randint(10, 120) for name in goods}
    now = dict(start)
    files = {
        "stock.csv": csv_text(("article", "stock", "minimum"), [(n, start[n], minimum[n]) for n in goods])
    }
    files["movements/readme.txt"] = NOTE
    number = 0
    for week in range(1, rng.randint(3, 5)):
        moves: list[tuple[str, str, str, int]] = []
        for _ in range(rng.randint(25, 90)):
            number += 1
            name = rng.choice(goods)
            kind = rng.choices(("in", "out", "count"), (4, 6, 1))[0]
            amount = (
                rng.randint(1, max(1, min(30, now[name])))
                if kind != "count"
                else max(0, now[name] - rng.randint(0, 4))
            )
            if kind == "out" and now[name] == 0:
                continue
            now[name] = amount if kind == "count" else now[name] + (amount if kind == "in" else -amount)
            stamp = f"2026-05-{(week - 1) * 7 + 1 + len(moves) // 14:02} {8 + len(moves) % 14:02}:{number % 60:02}"
            moves.append((stamp, name, kind, amount))
        files[f"movements/week{week}.csv"] = csv_text(("time", "article", "kind", "amount"), moves)
    lacking = sorted(((minimum[name] - now[name], name) for name in goods), reverse=True)
    if lacking[0][0] <= 0 or lacking[0][0] == lacking[1][0]:
        return make(rng)
    terms = {
        "stock": "stock.csv",
        "folder": "movements",
        "out": rng.choice(("stock_now.csv", "inventory.csv")),
    }
    rows = tuple((name, now[name], "yes" if now[name] < minimum[name] else "no") for name in goods)
    aim = Aim({terms["out"]: Sheet(COLUMNS, rows)}, (lacking[0][1],))
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def solve(folder: Path, terms: Terms) -> Aim:
    start = list(csv.DictReader((folder / terms["stock"]).read_text(encoding="utf-8").splitlines()))
    now = {row["article"]: int(row["stock"]) for row in start}
    moves: list[list[str]] = []
    for path in (folder / terms["folder"]).glob("*.csv"):
        moves += [re.split(",", line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    for _, name, kind, amount in sorted(moves):
        if kind == "count":
            now[name] = int(amount)
        else:
            now[name] += int(amount) if kind == "in" else -int(amount)
    lack = {row["article"]: int(row["minimum"]) - now[row["article"]] for row in start}
    rows = tuple((name, stock, "yes" if lack[name] > 0 else "no") for name, stock in now.items())
    return Aim({terms["out"]: Sheet(COLUMNS, rows)}, (max(lack, key=lambda name: lack[name]),))


KIND = Kind(make, solve)
