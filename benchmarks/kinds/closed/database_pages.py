"""A database, to be documented in Markdown."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.kinds.folder import database, rows_of
from benchmarks.kinds.kind import Aim, Commission, Kind, Page, Sheet, Terms
from benchmarks.kinds.words import some

COLUMNS = ("column", "type", "required")
WORDINGS = (
    "Document the tables of {db} in {out}. For each table a heading with its name and below it a Markdown table with "
    "column, type, required (yes or no; yes where it is declared NOT NULL). Views needn't be described.",
    "Nobody here remembers what's in {db}. Could you write {out} for the new colleagues? One section per table, headed "
    "by the table's name, with a markdown table of its columns: column | type | required. Type as it was declared, "
    "required is yes if it's declared NOT NULL and else no. Only real tables, no views.",
    "Create the data dictionary {out} for the database {db}: per table a section whose heading is the name of the "
    "table, containing a table with the columns column, type and required. Required takes the values yes and no, "
    "depending on whether the column is declared NOT NULL. Views are to be left out.",
    "Write documentation for {db}, file {out}, Markdown. Every table gets its own heading (the table's "
    "name) and under it a table: column, type, required. In required put yes for NOT NULL columns, no "
    "for all others. Don't bother with views.",
)
THINGS = {
    "customers": ("name TEXT", "email TEXT", "since DATE", "discount REAL", "is_company INTEGER"),
    "orders": ("customer_id INTEGER", "ordered_on DATE", "total NUMERIC(10,2)", "note TEXT", "status VARCHAR(12)"),
    "products": ("title VARCHAR(80)", "price NUMERIC(8,2)", "weight REAL", "shelf TEXT", "image BLOB"),
    "suppliers": ("name TEXT", "country CHAR(2)", "phone TEXT", "rating INTEGER"),
    "deliveries": ("order_id INTEGER", "sent_at TIMESTAMP", "carrier TEXT", "parcels INTEGER", "tracking TEXT"),
    "employees": ("name TEXT", "hired_on DATE", "wage NUMERIC(8,2)", "team VARCHAR(20)", "manager_id INTEGER"),
    "visits": ("day DATE", "page TEXT", "visitor TEXT", "seconds INTEGER"),
    "returns": ("order_id INTEGER", "reason TEXT", "refunded REAL", "arrived_on DATE"),
    "rooms": ("label TEXT", "floor INTEGER", "area REAL", "is_heated BOOLEAN"),
}  # fmt: skip


def make(rng: random.Random) -> Commission:
    script: list[str] = []
    sheets: dict[str, Sheet] = {}
    tables: dict[str, list[tuple[object, ...]]] = {}
    for name in some(rng, list(THINGS), 3, 7):
        lines = ["id INTEGER PRIMARY KEY"]
        rows: list[tuple[str, str, str]] = [("id", "INTEGER", "no")]
        for column in some(rng, THINGS[name], 3, 5):
            title, _, type_ = column.partition(" ")
            is_required = rng.random() < 0.5
            default = " DEFAULT 0" if rng.random() < 0.2 else ""
            lines.append(f"{column}{' NOT NULL' if is_required else ''}{default}")
            rows.append((title, type_, "yes" if is_required else "no"))
        if rng.random() < 0.4:
            lines.append(f"UNIQUE ({rows[1][0]})")
        listed = ",\n  ".join(lines)
        script.append(f"CREATE TABLE {name} (\n  {listed}\n);")
        sheets[name] = Sheet(COLUMNS, tuple(rows))
        tables[name] = [(n, *(n * 7 for _ in rows[1:])) for n in range(1, rng.randint(2, 20))]
    first = next(iter(sheets))
    script.append(f"CREATE VIEW latest_{first} AS SELECT * FROM {first} ORDER BY id DESC LIMIT 10;")
    script.append(f"CREATE INDEX by_{first} ON {first} ({sheets[first].rows[1][0]});")
    terms = {
        "db": rng.choice(("shop.db", "data.sqlite", "company.db")),
        "out": rng.choice(("tables.md", "database.md", "schema.md")),
    }
    aim = Aim({terms["out"]: Page(sheets)})
    files = {terms["db"]: database("\n".join(script), tables)}
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def solve(folder: Path, terms: Terms) -> Aim:
    path = folder / terms["db"]
    sheets: dict[str, Sheet] = {}
    for (name,) in rows_of(path, "SELECT name FROM sqlite_master WHERE type = 'table'"):
        rows = rows_of(path, f"SELECT name, type, \"notnull\" FROM pragma_table_info('{name}')")
        listed = tuple(
            (str(column), str(type_), "yes" if required else "no") for column, type_, required in rows
        )
        sheets[str(name)] = Sheet(COLUMNS, listed)
    return Aim({terms["out"]: Page(sheets)})


KIND = Kind(make, solve)
