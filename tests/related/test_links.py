"""Which tables belong together: told by values that are the same and names that are alike, and never by chance."""

from __future__ import annotations

import pytest

from swarm.related.link import links
from swarm.related.looked_at import Relation

Rows = list[dict[str, object]]


def table(name: str, columns: str, *rows: tuple[object, ...]) -> Relation:
    names = columns.split()
    return Relation(name, [dict(zip(names, row, strict=True)) for row in rows])


def found(*sources: Relation) -> set[str]:
    return {
        f"{link.child.name}.{'+'.join(link.columns)} > {link.parent.name}.{'+'.join(link.keys)}"
        for link in links(sources)
    }


CUSTOMERS = table("customers", "id name city", (1, "Ann", "Bonn"), (2, "Bob", "Ulm"), (3, "Cid", "Bonn"))
AUTHORS = table("authors", "name born", ("Ada", 1815), ("Ben", 1920), ("Cleo", 1930))


@pytest.mark.parametrize(
    ("child", "link"),
    [
        (
            table("orders", "id customer total", (1, 2, 9.5), (2, 2, 1.5), (3, 1, 2.0)),
            "orders.customer > customers.id",
        ),
        (table("orders", "no customer_id", (7, 3), (8, 3), (9, 1)), "orders.customer_id > customers.id"),
        (table("visits", "day CustomerNo", ("a", 1), ("b", 1), ("c", 2)), "visits.CustomerNo > customers.id"),
        (
            table("notes", "customer text", ("Ann", "x"), ("Ann", "y"), ("Bob", "z")),
            "notes.customer > customers.name",
        ),
    ],
)
def test_a_column_that_names_rows_of_another_table_is_found(child: Relation, link: str) -> None:
    assert link in found(CUSTOMERS, child)


def test_texts_that_are_all_there_show_it_without_a_name() -> None:
    books = table("books", "title by", ("A", "Ada"), ("B", "Ben"), ("C", "Cleo"), ("D", "Ada"))

    assert found(books, AUTHORS) == {"books.by > authors.name"}


@pytest.mark.parametrize(
    "other",
    [
        # Numbers that count on from 1 stand in every table.
        table("rooms", "id beds", (1, 2), (2, 2), (3, 1)),
        table("grades", "pupil grade", ("x", 1), ("y", 2), ("z", 3)),
        # Two texts that are the same are chance.
        table("places", "place", ("Ann",), ("elsewhere",)),
        # Measured figures are no keys.
        table("scales", "weight", (1.5,), (2.0,), (3.0,)),
        table("empty", "customer", (None,), (None,)),
    ],
)
def test_what_is_the_same_by_chance_is_no_link(other: Relation) -> None:
    assert not found(CUSTOMERS, other)


def test_a_table_whose_key_comes_twice_is_no_parent() -> None:
    twice = table("customers", "id name", (1, "Ann"), (1, "Ann B."), (2, "Bob"))
    orders = table("orders", "customer", (1,), (2,), (2,))

    assert not found(twice, orders)


def test_several_columns_of_the_same_names_are_one_key() -> None:
    booked = table("booked", "branch month sum", ("A", "May", 1.5), ("A", "June", 2.5), ("B", "May", 3.5))
    reported = table("reported", "branch month sum", ("A", "May", 1.5), ("B", "May", 3.0))

    assert found(booked, reported) == {
        "booked.branch+month > reported.branch+month",
        "reported.branch+month > booked.branch+month",
    }


def test_a_few_rows_that_are_missing_do_not_hide_a_link() -> None:
    payments = table("payments", "invoice amount", *[(f"R{n}", 1.5) for n in range(9)], ("R99", 2.5))
    invoices = table("invoices", "invoice amount", *[(f"R{n}", 3.5) for n in range(9)])

    assert "payments.invoice > invoices.invoice" in found(payments, invoices)


def test_words_between_numbers_are_told_from_texts() -> None:
    values = [*(f"{n}.5" for n in range(9)), "ERR", "n/a"]
    source = table("data", "value code", *((value, f"C{n}") for n, value in enumerate(values)))

    assert source.columns["value"].words == ("ERR", "n/a")
    assert source.columns["code"].words == ()
