"""How many decimals a task says for its figures, and which of a candidate's figures get no more than these."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from swarm.program.decimals import answer_rounded, lists_rounded, rounded, roundings
from swarm.program.saving import Plain
from tests.program.conftest import Ran

ROW: dict[str, Plain] = {"city": "Bern", "n": 3, "mean": 2.34567, "share": 0.12345}
HEAD = "Write out.csv with city, n, mean and share"

SAID: dict[str, dict[str, Plain]] = {
    "Write out.csv with city, n, mean to two decimals and share.": {"mean": 2.35},
    "Write out.csv with city, n, mean (to 2 decimal places) and share.": {"mean": 2.35},
    "Write out.csv with city, n, mean (two decimals) and share (to 1 decimal place).": {
        "mean": 2.35,
        "share": 0.1,
    },
    "Write out.csv (city, n, mean with one decimal, share).": {"mean": 2.3},
    "Write out.csv with the columns city, n, mean (total / n, rounded to two decimals), share.": {
        "mean": 2.35
    },
    "Write out.csv with city, n, the average to two decimals, share.": {"mean": 2.35},
    "Write out.csv with city, n, mean and share, rounded to 2 decimals.": {"mean": 2.35, "share": 0.12},
    f"{HEAD}. Round all figures to three decimals.": {"mean": 2.346, "share": 0.123},
    f"{HEAD}. Give two decimals for the mean.": {"mean": 2.35},
    f"{HEAD}. The mean should have 2 digits after the decimal point.": {"mean": 2.35},
    f"{HEAD}. Round the mean and the share to two decimal places.": {"mean": 2.35, "share": 0.12},
    f"{HEAD}. Round the mean to the nearest cent.": {"mean": 2.35},
    f"{HEAD}. Give the mean in whole euros.": {"mean": 2},
    f"{HEAD}. Round the mean to the nearest whole number, the share to the nearest tenth.": {
        "mean": 2,
        "share": 0.1,
    },
    f"{HEAD}; use no decimals for the mean.": {"mean": 2},
    f"{HEAD}, all with 2-decimal precision.": {"mean": 2.35, "share": 0.12},
    f"{HEAD}, each to 2 decimals.": {"mean": 2.35, "share": 0.12},
    f"{HEAD}; please write mean to 2 dp.": {"mean": 2.35},
    "For each city compute the mean to two decimals and write city, n, mean, share to out.csv.": {
        "mean": 2.35
    },
    "Compute the mean for each city (rounded to two decimals) and save it in out.csv.": {"mean": 2.35},
    "Write out.csv with day (DD.MM.YYYY), mean to two decimals and share in whole percent.": {
        "mean": 2.35,
        "share": 0,
    },
    # Of something else, of what is there, or in another way
    HEAD: {},
    f"{HEAD}. Round the median to two decimals.": {},
    f"{HEAD}. Tell me the highest mean to two decimals.": {},
    f"{HEAD}. What is the mean of all, to two decimals?": {},
    f"{HEAD}, and tell me the mean to one decimal.": {},
    f"Prices have three decimals. {HEAD}.": {},
    f"The amounts in prices.csv are given with one decimal. {HEAD}.": {},
    f"Read prices.csv (mean to one decimal). {HEAD}.": {},
    f"{HEAD} from prices.csv, which has the mean with one decimal.": {},
    f"{HEAD}. Round the mean down to two decimals.": {},
    f"{HEAD}. The mean must have at least two decimals.": {},
    f"{HEAD}. Do not round the mean to two decimals.": {},
    f"{HEAD}. Round the mean half to even, to two decimals.": {},
    f"{HEAD}. Truncate the share to two decimals.": {},
    f"{HEAD}. Write other.csv with the mean to one decimal.": {},
    f"{HEAD}, mean to two decimals. Write mean with one decimal.": {},
    f"{HEAD}. Leave out the two decimal columns.": {},
    "Tell me the city with the highest mean (two decimals) and write all to out.csv.": {},
    "Find the means that have more than two decimals and write them to out.csv.": {},
    "List the shares that are not rounded to two decimals in out.csv.": {},
    "Write out.csv with the rows whose mean has two decimals.": {},
}


@pytest.mark.parametrize("task", SAID)
def test_figures_get_the_decimals_that_the_task_says_for_them(task: str) -> None:
    found = rounded([ROW], "out.csv", roundings(task, ["out.csv", "other.csv"]))

    assert found == ([{**ROW, **SAID[task]}] if SAID[task] else None)


@pytest.mark.parametrize(
    ("figure", "places", "wanted"),
    [
        (2.675, 2, 2.68),
        (-2.675, 2, -2.68),
        (0.5, 0, 1),
        (2.5, 0, 3),
        (1e-300, 2, 0.0),
        (-0.001, 2, 0.0),
        (123456789012.345, 2, 123456789012.35),
        (1e300, 2, 1e300),
        (2.5, 2, 2.5),
        (3, 2, 3),
        (True, 0, True),
        ("2.34567", 2, "2.34567"),
        (None, 2, None),
        (4.0, 0, 4.0),
    ],
)
def test_only_floats_with_more_decimals_are_rounded_half_up(
    figure: Plain, places: int, wanted: Plain
) -> None:
    row = {"x": figure}
    found = rounded([row], "out.csv", [{"file": "", "places": places, "items": []}]) or [row]

    assert repr(found[0]["x"]) == repr(wanted)


def test_a_figure_that_is_called_otherwise_is_the_one_that_can_be_meant() -> None:
    task = "Write out.csv with city, n and x, and round the price of a night to two decimals in out.csv."

    assert rounded([{"n": 1, "x": 2.345}], "out.csv", roundings(task, ["out.csv"])) == [{"n": 1, "x": 2.35}]
    assert rounded([{"y": 1.234, "x": 2.345}], "out.csv", roundings(task, ["out.csv"])) is None


@pytest.mark.parametrize(
    ("items", "columns", "wanted"),
    [
        ([["a", "mean"], ["x", 1.234]], None, [["a", "mean"], ["x", 1.23]]),
        ([("x", 1.234)], "a, mean", [["x", 1.23]]),
        ([["x", 1.234]], ["a", "mean"], [["x", 1.23]]),
        ([["a", "mean"], ["a", 1.234, 5]], None, None),
        ([["a", "mean"], ["a", "1.234"]], None, None),
    ],
)
def test_rows_that_are_lists_are_rounded_by_their_names(
    items: list[object], columns: list[str] | str | None, wanted: list[list[object]] | None
) -> None:
    asked = roundings("Write out.csv with a and mean to two decimals.", ["out.csv"])

    assert lists_rounded(items, "out.csv", columns, asked) == wanted


PROGRAM = """
rows = sql("SELECT place, price / 7 AS mean, price / 3 AS share, 2 AS n FROM prices ORDER BY place")
save("out.csv", (row for row in rows))
save("out.json", rows)
save("notes.txt", "2.34567")
"""
TASK = "Write out.csv and out.json with place, mean to two decimals, share and n."


@pytest.mark.anyio
async def test_a_candidate_saves_figures_with_the_decimals_that_are_asked_for(ran: Ran) -> None:
    asked = roundings(TASK.replace(" and out.json", ""), ["out.csv", "out.json"])
    outcome = await ran(
        PROGRAM, roundings=asked, columns={"out.csv": ["place", "mean", "share", "n"]}, is_lenient=True
    )

    assert outcome.error == ""
    assert outcome.files["out.csv"].text == ("place,mean,share,n\ngym,1,2.333333333333,2\npool,0.64,1.5,2\n")
    assert "0.642857142857" in (outcome.files["out.json"].text or "")
    assert outcome.files["notes.txt"].text == "2.34567\n"


@pytest.mark.anyio
async def test_figures_of_a_program_of_a_person_stay(ran: Ran) -> None:
    outcome = await ran(PROGRAM, roundings=roundings(TASK, ["out.csv", "out.json"]))

    assert "0.642857142857" in (outcome.files["out.csv"].text or "")


@pytest.mark.parametrize(
    ("task", "answer", "right"),
    [
        (
            "Give r rounded to the third decimal place.",
            {"r": 0.80647, "kind": "linear"},
            {"r": 0.806, "kind": "linear"},
        ),
        ("Round to 2 decimal places.", [{"a": 1.005, "b": 7}], [{"a": 1.01, "b": 7}]),
        ("What is the mean?", {"mean": 0.80647}, {"mean": 0.80647}),
        ("Round to 2 decimal places.", "0.80647", "0.80647"),
        ("Round down to 2 decimal places.", {"a": 0.80647}, {"a": 0.80647}),
    ],
)
def test_named_figures_of_an_answer_have_as_many_decimals_as_the_task_says(
    task: str, answer: JsonValue, right: JsonValue
) -> None:
    assert answer_rounded(answer, task, ()) == right
