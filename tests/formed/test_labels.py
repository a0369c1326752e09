"""Texts with labels: a value never gets into the row of another record."""

from __future__ import annotations

import pytest

from swarm.formed.labels import field_in, is_labelled, rows
from swarm.formed.row import Cell

FIELDS = {
    "Fee: 12 EUR": ("fee", "12 EUR"),
    "Fee = 12": ("fee", "12"),
    "Fee     12": ("fee", "12"),
    "Fee\t12": ("fee", "12"),
    "**Fee**: 12": ("fee", "12"),
    "- **Fee:** **12**": ("fee", "12"),
    "1. Fee: 12": ("fee", "12"),
    "> Fee: 12": ("fee", "12"),
    "Fee (net): 12": ("fee_net", "12"),
    "Prénom : Zoë": ("prénom", "Zoë"),
    "姓名\uff1a王": ("姓名", "王"),
    "Site: https://x.de/a": ("site", "https://x.de/a"),
    "Time: 10:30": ("time", "10:30"),
    "Text: x": ("text_", "x"),
    "Fee:": ("fee", ""),
}
NO_FIELDS = [
    "",
    "10:30 we meet",
    "We meet at 10:30",
    "https://x.de/a",
    "C:\\x",
    "std::vector",
    "a == b",
    "one two three four five: x",
    "x" * 5_000 + ": y",
]


@pytest.mark.parametrize("line", FIELDS)
def test_a_label_is_read_in_each_form(line: str) -> None:
    assert field_in(line) == FIELDS[line]


@pytest.mark.parametrize("line", NO_FIELDS)
def test_times_addresses_and_sentences_have_no_label(line: str) -> None:
    assert field_in(line) is None


def found(*texts: str, but: tuple[str, ...] = ("file",)) -> list[dict[str, Cell]]:
    named = [(f"{number}.txt", text) for number, text in enumerate(texts)]
    return [
        {name: cell for name, cell in row.items() if cell is not None and name not in but}
        for row in rows(named)
    ]


OTHER = "Name: Z\nCity: Y\nPhone: 3\n"
OF_OTHER = {"name": "Z", "city": "Y", "phone": "3"}
RECORDS: dict[str, list[dict[str, Cell]]] = {
    "Name: A\nPhone: 1\nPhone: 2\nCity: X\n": [{"name": "A", "phone": "1\n2", "city": "X"}],
    "Name: A\nCity: X\nName: B\nPhone: 2\n": [{"name": "A", "city": "X"}, {"name": "B", "phone": "2"}],
    "Name: A\n\nCity: X\n\nName: B\n\nCity: Y\n": [{"name": "A", "city": "X"}, {"name": "B", "city": "Y"}],
    "Name: A\nCity: X\n\nCity: Y\n\nName: C\n": [{"name": "A", "city": "X"}, {"city": "Y"}, {"name": "C"}],
    "Name: A\nCity: X\n---\nCity: Y\nName: B\n": [{"name": "A", "city": "X"}, {"name": "B", "city": "Y"}],
    "City: X\nName: A\n\nName: B\n\nCity: Y\nName: C\n": [
        {"name": "A", "city": "X"},
        {"name": "B"},
        {"name": "C", "city": "Y"},
    ],
    "# One\nCity: X\n\nsays a\n\n# Two\nCity: Y\n": [
        {"city": "X", "text": "# One\nsays a"},
        {"city": "Y", "text": "# Two"},
    ],
    "Name: A\nCity: Main St 5\n   12345 Town\nsays\n": [
        {"name": "A", "city": "Main St 5\n12345 Town", "text": "says"}
    ],
    "Name: A\nCity:\n  - X\n  - Y\n": [{"name": "A", "city": "- X\n- Y"}],
    "Name: A\nCity:\nPhone: 1\n": [{"name": "A", "phone": "1"}],
    "Name: A\n```\nCity: no\n```\n": [{"name": "A", "text": "```\nCity: no\n```"}],
    "just words\n": [{"text": "just words"}],
    "": [{}],
}


@pytest.mark.parametrize("text", RECORDS)
def test_records_are_told_apart_by_their_form(text: str) -> None:
    rows = found(text, OTHER, OTHER)

    # Columns in their order are of no matter here.
    assert rows == [*RECORDS[text], OF_OTHER, OF_OTHER]


@pytest.mark.parametrize(
    "text",
    [
        "Name: A\nPhone: 1\nCity: X\nPhone: 2\n",
        "City: X\nName: A\nPhone: 1\nName: B\nPhone: 2\nCity: Y\nName: C\n",
    ],
)
def test_records_that_cannot_be_told_apart_are_one_with_all_values_and_make_no_table(text: str) -> None:
    assert len(found(text, OTHER)) == 2
    assert not is_labelled([("a.txt", text), ("b.txt", OTHER)])


def test_a_label_of_few_texts_stays_in_the_text() -> None:
    texts = [f"Name: {number}\nCity: X\n" for number in range(9)]
    last = found(*texts, "Name: x\nCity: Y\nRemark here: Kitchen\n")[-1]

    assert last["text"] == "Remark here: Kitchen"


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["I went home.  Then slept.\nIt was late.\n"],
        ["WARNING:root:x\nERROR:root:y\n"],
        ["Ann: hi\nBob: yo\nAnn: x\nAnn: y\n\nBob: z\n", "Ann: 1\nBob: 2\n"],
    ],
)
def test_texts_of_another_form_are_not_labelled(texts: list[str]) -> None:
    assert not is_labelled([(f"{number}.txt", text) for number, text in enumerate(texts)])


def test_many_records_of_one_file_are_read_quickly() -> None:
    text = "".join(f"Name: A{number}\nFee: {number} EUR\n\n" for number in range(10_000))

    assert is_labelled([("a.txt", text)])
    assert found(text)[-1] == {"name": "A9999", "fee_eur": 9999}
