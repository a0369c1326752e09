"""Two price lists whose article codes are spelled in different ways."""

from __future__ import annotations

import csv
import random
import re
from decimal import Decimal
from pathlib import Path

from benchmarks.kinds.folder import csv_text
from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms, Tree
from benchmarks.kinds.words import GOODS, cents, money

COLUMNS = ("code", "our_price", "their_price")
WORDINGS = (
    "ours.csv and theirs.csv list the same articles, only the codes are typed differently (capitals, spaces and dashes "
    "mean nothing). Prices that differ to {out}: code, our_price, their_price, code as in ours.csv. And {rest} with the "
    'codes found in one list only, as {{"only_ours": [...], "only_theirs": [...]}}, spelled as in their list.',
    "Our supplier sent a new price list, theirs.csv. I want to know where the price isn't the one we have in ours.csv. "
    "Put that in {out} with the columns code, our_price and their_price. They don't write the codes like we do: AB-12, "
    "ab 12 and AB12 are all one article. Please use our way of writing them. Articles that just one of us has go to "
    "{rest}, a JSON object with the two lists only_ours and only_theirs, each code the way it's written in that list.",
    "Reconcile ours.csv with theirs.csv by article code; upper and lower case, blanks and hyphens in codes are "
    "insignificant. Deliver {out} (columns code, our_price, their_price; the articles in both lists with unequal "
    "prices; code in the spelling of ours.csv) and {rest} (JSON object with the keys only_ours and only_theirs, each a "
    "list of codes in the spelling of its own list).",
    "ours.csv vs theirs.csv!! Same codes but they write them as they like (small letters, spaces, no "
    "dash), so AB-12 = ab12 = AB 12. I need 1) {out}: code (ours), our_price, their_price where the "
    'prices are not equal 2) {rest}: JSON, {{"only_ours": [], "only_theirs": []}} filled with the codes '
    "that the other one doesn't have, written as in the file.",
)


def make(rng: random.Random) -> Commission:
    separator, mark = rng.choice(((",", "."), (";", ","), ("\t", ".")))
    ours: list[tuple[str, str, str]] = []
    theirs: list[tuple[str, str, str]] = []
    rows: list[tuple[str, Decimal, Decimal]] = []
    rest: dict[str, list[str]] = {"only_ours": [], "only_theirs": []}
    for number in rng.sample(range(100, 999), rng.randint(25, 350)):
        letters = "".join(rng.choice("ABCDEFGHKLMNPRSTVW") for _ in range(2))
        our_code, their_code = f"{letters}-{number}", _spelled(rng, letters, number)
        price, goods = cents(rng, 1, 250), rng.choice(GOODS)
        where = rng.choices(("both", "only_ours", "only_theirs"), (12, 1, 1))[0]
        other = price + rng.choice((-50, 30, 100)) if rng.random() < 0.2 else price
        if where != "only_theirs":
            ours.append((our_code, goods, money(price)))
        if where != "only_ours":
            theirs.append((their_code, goods.upper(), money(other, mark)))
        if where != "both":
            rest[where].append(our_code if where == "only_ours" else their_code)
        elif other != price:
            rows.append((our_code, Decimal(price) / 100, Decimal(other) / 100))
    if len(rows) < 2 or not all(rest.values()):
        return make(rng)
    rng.shuffle(theirs)
    files = {
        "ours.csv": csv_text(("code", "article", "price"), ours),
        "theirs.csv": csv_text(("Code", "Article", "Price"), theirs, separator),
    }
    terms = {
        "out": rng.choice(("price_changes.csv", "prices_differ.csv")),
        "rest": rng.choice(("unmatched.json", "only_one.json")),
    }
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(rows)), terms["rest"]: Tree(rest)})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def _spelled(rng: random.Random, letters: str, number: int) -> str:
    spelling = rng.choice(("{0}{1}", "{0} {1}", "{0}-{1}", "{0} - {1}")).format(letters, number)
    return rng.choice((spelling, spelling.lower()))


def solve(folder: Path, terms: Terms) -> Aim:
    ours, theirs = _prices(folder / "ours.csv"), _prices(folder / "theirs.csv")
    rows = [
        (code, price, theirs[key][1])
        for key, (code, price) in ours.items()
        if key in theirs and theirs[key][1] != price
    ]
    rest = {
        "only_ours": [code for key, (code, _) in ours.items() if key not in theirs],
        "only_theirs": [code for key, (code, _) in theirs.items() if key not in ours],
    }
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(rows)), terms["rest"]: Tree(rest)})


def _prices(path: Path) -> dict[str, tuple[str, Decimal]]:
    text = path.read_text(encoding="utf-8")
    separator = next(mark for mark in ";\t," if mark in text.splitlines()[0])
    rows = list(csv.reader(text.splitlines(), delimiter=separator))[1:]
    return {re.sub(r"[\s-]", "", row[0]).upper(): (row[0], Decimal(row[2].replace(",", "."))) for row in rows}


KIND = Kind(make, solve)
