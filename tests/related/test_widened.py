"""Tables with all that belongs to their rows: each is run as SQL, and its rows are held against those by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import pytest
from pydantic import JsonValue

from swarm.related.looked_at import Relation
from swarm.related.naming import is_named
from swarm.related.widened import Widened, widened
from swarm.tabular.query_engine import selected

Rows = Sequence[Mapping[str, object]]

MEMBERS: Rows = [
    {"id": 1, "name": "Ann", "fee_group": "adult"},
    {"id": 2, "name": "Bob", "fee_group": "youth"},
    {"id": 3, "name": "Cid", "fee_group": "adult"},
]
GROUPS: Rows = [{"name": "adult", "yearly_fee": 100}, {"name": "youth", "yearly_fee": 40}]
PAYMENTS: Rows = [
    {"id": 1, "member": 1, "year": 2024, "amount": 60},
    {"id": 2, "member": 1, "year": 2024, "amount": 40},
    {"id": 3, "member": 2, "year": 2023, "amount": 40},
    {"id": 4, "member": 2, "year": 2024, "amount": 10},
]


def widen(task: str, **tables: Rows) -> dict[str, Widened]:
    return {one.name: one for one in widened([Relation(name, rows) for name, rows in tables.items()], task)}


def rows(one: Widened, **tables: Rows) -> list[dict[str, JsonValue]]:
    given = cast("Mapping[str, Sequence[dict[str, JsonValue]]]", tables)
    return selected(f"WITH wide AS ({one.query}) SELECT * FROM wide", given)[1]


def test_parents_and_sums_of_children_stand_on_a_row() -> None:
    tables = {"members": MEMBERS, "fee_groups": GROUPS, "payments": PAYMENTS}
    found = widen("Who has not paid for 2024?", **tables)

    assert rows(found["members"], **tables) == [
        {"id": 1, "name": "Ann", "fee_group": "adult", "yearly_fee": 100, "count_payments_2024": 2,
         "sum_payments_amount_2024": 100, "yearly_fee_minus_payments_2024": 0},
        {"id": 2, "name": "Bob", "fee_group": "youth", "yearly_fee": 40, "count_payments_2024": 1,
         "sum_payments_amount_2024": 10, "yearly_fee_minus_payments_2024": 30},
        {"id": 3, "name": "Cid", "fee_group": "adult", "yearly_fee": 100, "count_payments_2024": 0,
         "sum_payments_amount_2024": 0, "yearly_fee_minus_payments_2024": 100},
    ]  # fmt: skip


def test_all_rows_of_a_child_count_where_the_task_names_none() -> None:
    tables = {"members": MEMBERS, "payments": PAYMENTS}
    found = widen("How much did each member pay?", **tables)

    assert [row["sum_payments_amount"] for row in rows(found["members"], **tables)] == [100, 50, 0]


def test_several_values_that_the_task_names_have_columns_each() -> None:
    tables = {"members": MEMBERS, "payments": PAYMENTS}
    found = widen("Compare 2023 with 2024.", **tables)
    whole = rows(found["members"], **tables)

    assert [row["sum_payments_amount_2023"] for row in whole] == [0, 40, 0]
    assert [row["sum_payments_amount_2024"] for row in whole] == [100, 10, 0]


def test_a_child_has_what_its_parents_and_theirs_say() -> None:
    tables = {"members": MEMBERS, "fee_groups": GROUPS, "payments": PAYMENTS}
    whole = rows(widen("", **tables)["payments"], **tables)

    assert len(whole) == len(PAYMENTS)
    assert next(row for row in whole if row["id"] == 1) == {
        "id": 1,
        "member": 1,
        "year": 2024,
        "amount": 60,
        "name": "Ann",
        "fee_group": "adult",
        "yearly_fee": 100,
    }


def test_what_only_says_more_of_other_rows_is_part_of_these() -> None:
    assert "fee_groups" not in widen("", members=MEMBERS, fee_groups=GROUPS, payments=PAYMENTS)


@pytest.mark.parametrize(
    "task", ["Compare orders with stock.", "Which items differ?", "Are all amounts correct?"]
)
def test_a_figure_that_is_held_against_a_sum_differs_or_not(task: str) -> None:
    stock: Rows = [{"sku": "A1", "amount": 3}, {"sku": "A2", "amount": 4}, {"sku": "A3", "amount": 0}]
    orders: Rows = [{"sku": "A1", "n": 1}, {"sku": "A1", "n": 2}, {"sku": "A2", "n": 5}]
    found = widen(task, stock=stock, orders=orders)["stock"]

    assert [row["amount_differs"] for row in rows(found, stock=stock, orders=orders)] == [
        "equal", "different", "equal"
    ]  # fmt: skip
    assert "differs" not in widen("How many orders are there?", stock=stock, orders=orders)["stock"].query


def test_rows_of_which_a_sum_is_held_against_a_figure_are_told_of_with_that_alone() -> None:
    stock: Rows = [{"sku": "A1", "shelf": "x", "amount": 3}, {"sku": "A2", "shelf": "y", "amount": 4}]
    orders: Rows = [{"sku": "A1", "n": 1}, {"sku": "A1", "n": 2}, {"sku": "A2", "n": 5}]

    assert [*widen("Which amounts differ?", stock=stock, orders=orders)] == ["stock"]
    assert {*widen("How many orders are there?", stock=stock, orders=orders)} == {"stock", "orders"}
    assert {*widen("Which orders match a large amount?", stock=stock, orders=orders)} == {"stock", "orders"}
    more = [{**row, "price": 2.5} for row in orders]
    assert {*widen("Which amounts differ?", stock=stock, orders=more)} == {"stock", "orders"}


def test_rows_without_a_partner_doubt_what_is_said_to_differ() -> None:
    stock: Rows = [{"sku": "A1", "amount": 3}, {"sku": "A2", "amount": 4}]
    orders: Rows = [
        {"sku": "A1", "n": 3},
        {"sku": "A2", "n": 4},
        {"sku": "A2", "n": 1},
        {"sku": "A9", "n": 5},
    ]
    found = widen("Which amounts differ?", stock=stock, orders=orders)["stock"]

    assert ("_differs", "1 sku of orders are no row of stock") in found.doubts


def test_sums_leave_no_noise_of_fractions() -> None:
    invoices: Rows = [{"invoice": "R1", "amount": 0.3}, {"invoice": "R2", "amount": 1.5}]
    payments: Rows = [{"invoice": "R1", "amount": 0.1}, {"invoice": "R1", "amount": 0.2}]
    found = widen("", invoices=invoices, payments=payments)
    whole = rows(found["invoices"], invoices=invoices, payments=payments)

    assert [row["amount_minus_payments"] for row in whole] == [0, 1.5]
    assert "-0" not in str(whole[0]["amount_minus_payments"])


def test_rows_of_a_child_without_a_parent_are_told_of() -> None:
    invoices: Rows = [{"invoice": f"R{n}", "amount": 1.5} for n in range(8)]
    payments: Rows = [{"invoice": f"R{n}", "amount": 1.5} for n in (1, 2, 3, 99)]

    one = widen("", invoices=invoices, payments=payments)["invoices"]

    assert "1 invoice of payments are no row of invoices" in one.remark
    assert ("sum_payments_", "1 invoice of payments are no row of invoices") in one.doubts


BOOKED: Rows = [
    {"branch": "A", "month": "May", "revenue": 1.5},
    {"branch": "B", "month": "May", "revenue": 2.5},
    {"branch": "C", "month": "May", "revenue": 7.5},
    {"branch": "A", "month": "June", "revenue": 9.5},
]
REPORTED: Rows = [
    {"file": "a.txt", "branch": "A", "month": "May", "revenue": 1.5},
    {"file": "b.txt", "branch": "B", "month": "May", "revenue": 2.0},
    {"file": "d.txt", "branch": "D", "month": "May", "revenue": 3.5},
]


def test_two_tables_that_say_something_of_one_thing_are_side_by_side() -> None:
    tables = {"booked": BOOKED, "reported": REPORTED}
    found = widen("", **tables)
    (pair,) = found.values()
    seen = {
        row["branch"]: (row["booked_revenue"], row["reported_revenue"], row["revenue_differs"])
        for row in rows(pair, **tables)
    }

    assert (pair.name, pair.is_of_two) == ("booked_and_reported", True)
    # Nobody reports for June: what is booked then is not to be compared.
    assert seen == {
        "A": (1.5, 1.5, "equal"), "B": (2.5, 2.0, "different"),
        "C": (7.5, None, "different"), "D": (None, 3.5, "different"),
    }  # fmt: skip


def test_words_between_numbers_are_none_and_told_of() -> None:
    data: Rows = [{"at": f"{n}", "value": "ERR" if n in {2, 5} else f"{n},5"} for n in range(12)]
    one = widen("", data=data)["data"]

    assert [row["value"] for row in rows(one, data=data)][:4] == [0.5, 1.5, None, 3.5]
    assert one.words == ("value holds 'ERR' in place of numbers: NULL here",)


def test_a_table_alone_stays_as_it_is() -> None:
    one = widen("", members=MEMBERS)["members"]

    assert one.is_plain
    assert rows(one, members=MEMBERS) == [*MEMBERS]


@pytest.mark.parametrize("name", ["order", "Straße", "two words", 'a"b'])
def test_names_that_sql_needs_in_quotes_are_quoted(name: str) -> None:
    parents: Rows = [{"id": n, name: 1.5} for n in (1, 2, 3)]
    children: Rows = [{"parent": n, name: 0.5} for n in (1, 1, 2)]
    one = widen("", parents=parents, children=children)["parents"]

    assert [row[f"sum_children_{name}"] for row in rows(one, parents=parents, children=children)] == [
        1.0,
        0.5,
        0,
    ]


MOVES: Rows = [
    {"article": 1, "kind": "in", "pieces": 9},
    {"article": 1, "kind": "out", "pieces": 4},
    {"article": 2, "kind": "in", "pieces": 3},
]
ARTICLES: Rows = [{"id": n, "label": f"L{n}"} for n in (1, 2, 3)]


def test_small_words_of_a_sentence_name_no_value() -> None:
    tables = {"articles": ARTICLES, "moves": MOVES}
    whole = rows(widen("How many pieces are in stock?", **tables)["articles"], **tables)
    quoted = widen("Take the moves of kind 'in' alone.", **tables)["articles"]

    assert [row["sum_moves_pieces"] for row in whole] == [13, 3, 0]
    assert [row["sum_moves_pieces_in"] for row in rows(quoted, **tables)] == [9, 3, 0]
    assert "those moves of the row with kind = 'in'" in quoted.remark


@pytest.mark.parametrize(
    ("task", "value", "named"),
    [
        ("Cancelled ones are left out.", "cancelled", True),
        ("for 2024 alone", "2024", True),
        ("Count the invoices in EU countries", "EU", True),
        ("Is it so?", "IT", False),
        ("those that are in", "in", False),
        ("those that are «in»", "in", True),
        ("20245 pieces", "2024", False),
    ],
)
def test_what_names_a_value(task: str, value: str, named: bool) -> None:
    assert is_named(task, value) is named
