"""Names that a reader gives in other letters than the text has them."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from swarm.agent.name_spelling import alike, as_read
from swarm.nouns.tool import Row

TEXT = "Region: south\nThe south team met Ms LEE. Lee and lee agree. A café in Ulm, with C++ and c#; a.b too."


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("South", "south"),
        ("SOUTH TEAM", "south team"),
        ("ms lee", "Ms LEE"),
        ("CAFÉ", "café"),
        ("ulm", "Ulm"),
        ("c++", "C++"),
        ("C#", "c#"),
    ],
)
def test_a_name_is_spelled_as_the_text_has_it(given: str, right: str) -> None:
    assert as_read([{"name": given, "n": 1}], [TEXT]) == [{"name": right, "n": 1}]


@pytest.mark.parametrize(
    "given",
    [
        "LEE",  # in three ways
        "Sou",  # a part of a word
        "A.B ",
        "North",
        "u",
        "",
        "THE SOUTH TEAM MET MS LEE. LEE AND LEE AGREE. A CAFÉ IN ULM, WITH C++ AND C#; A.B TOO.",
        3.5,
        None,
        True,
    ],
)
def test_what_the_text_has_in_several_ways_or_not_at_all_stays(given: JsonValue) -> None:
    assert as_read({"a": given}, [TEXT]) == {"a": given}


@pytest.mark.parametrize(
    "text", ["Apples are sold.", "# Apples", "It rains. Apples grow.", "- *Apples*: 3", "x\n  Apples"]
)
def test_the_capital_of_a_beginning_is_none_of_the_name(text: str) -> None:
    assert as_read("apples", [text]) == "apples"
    assert as_read("apples", [f"{text} Fruit: Apples"]) == "Apples"


def test_the_words_of_several_texts_count_together() -> None:
    assert as_read("Kiel", ["in kiel", "in KIEL"]) == "Kiel"
    assert as_read("Kiel", ["in kiel", "no town"]) == "kiel"


def test_a_name_that_readers_of_several_texts_write_in_other_letters_is_one() -> None:
    rows: list[Row] = [
        {"state": state, "unit": unit, "code": code, "n": 1}
        for state, unit, code in (
            ("Open", "mW", "ab1c"),
            ("open", "MW", "AB1C"),
            ("Open", "mW", "ab1c"),
            ("in work", "W", "x"),
        )
    ]

    found = alike(rows)

    assert [row["state"] for row in found] == ["Open", "Open", "Open", "in work"]
    # The size of their letters tells units and codes apart.
    assert [(row["unit"], row["code"]) for row in found] == [(row["unit"], row["code"]) for row in rows]
