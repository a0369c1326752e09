"""The native tool ``calculate``: exact arithmetic with numbers, percentages and times."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from swarm import ToolError
from tools.calculate import calculate


@pytest.mark.parametrize(
    ("expression", "text", "data"),
    [
        ("0.1 + 0.2", "0.3", 0.3),
        ("12,480.50 * 3", "37441.5", 37441.5),
        ("$1,200.50 - $200", "1000.5", 1000.5),
        ("1/3", "0.333333333333333", 1 / 3),
        ("2/7 * 7", "2", 2),
        ("9999999999999999999999 + 1", "10000000000000000000000", 10**22),
        ("-2**2", "-4", -4),
        ("2**3**2", "512", 512),
        ("2**-1", "0.5", 0.5),
        ("(-1)**999999999", "-1", -1),
        ("7 // 2 + 7 % 4", "6", 6),
        ("3 \u00d7 4 \u2212 2", "10", 10),
        ("(3 + 4) * 2 =", "14", 14),
    ],
)
def test_arithmetic_is_exact(expression: str, text: str, data: JsonValue) -> None:
    result = calculate(expression)

    assert (result.text, result.data) == (text, data)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("20% of 350", "70"),
        ("350 + 10%", "385"),
        ("350 - 10%", "315"),
        ("10% + 5%", "0.15"),
        ("12 / 48 in %", "25%"),
    ],
)
def test_percentages_are_of_what_they_stand_beside(expression: str, text: str) -> None:
    assert calculate(expression).text == text


@pytest.mark.parametrize(
    ("expression", "text", "data"),
    [
        ("90 min + 2 h in hours", "3.5 h (3 h 30 min)", 3.5),
        ("90 min + 2 h", "210 min (3 h 30 min)", 210),
        ("1 h 30 min * 2", "3 h", 3),
        ("3 h / 30 min", "6", 6),
        ("2 weeks in days", "14 days", 14),
        ("mean(30 min, 1 h) in min", "45 min", 45),
        ("round(1.26 h, 1)", "1.3 h (1 h 18 min)", 1.3),
    ],
)
def test_times_are_added_and_converted(expression: str, text: str, data: JsonValue) -> None:
    result = calculate(expression)

    assert (result.text, result.data) == (text, data)


@pytest.mark.parametrize(
    ("expression", "data"),
    [
        ("sum(1, 2, 3.5)", 6.5),
        ("sum([10, 20, 30])", 60),
        ("min(3, -1, 2)", -1),
        ("max(90 min, 1 h) / 1 min", 90),
        ("mean(1, 2, 4.5)", 2.5),
        ("round(2.5)", 3),
        ("round(-2.345, 2)", -2.35),
        ("abs(-3)", 3),
        ("sqrt(9/4)", 1.5),
        ("floor(-2.5)", -3),
        ("ceil(2.1)", 3),
    ],
)
def test_functions_take_numbers_and_times(expression: str, data: JsonValue) -> None:
    assert calculate(expression).data == data


def test_a_comparison_says_by_how_much_it_fails() -> None:
    assert calculate("12.50 == 12.5").data is True
    assert calculate("12480.5 = 12408.5").text == "false; the difference is 72"
    assert calculate("90 min < 2 h").data is True


@pytest.mark.parametrize(
    "expression",
    [
        "9**9**9",
        "2**4000",
        "10**-5000",
        "1e999 * 1e999",
        "(" * 100 + "1" + ")" * 100,
        "1+" * 3_000 + "1",
        "9" * 3_999,
        "sqrt(" * 60 + "2" + ")" * 60,
        "round(1, 99999999)",
    ],
)
def test_what_could_hang_or_fill_the_memory_is_refused(expression: str) -> None:
    with pytest.raises(ToolError):
        calculate(expression)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "the expression is empty"),
        ("1 +", "ends too early"),
        ("(1 + 2", "a ')' is missing before 'the end'"),
        ("1 / 0", "divides by zero"),
        ("7 % 0", "divides by zero"),
        ("0 ** -1", "divides by zero"),
        ("3 + 2 h", "give both a unit"),
        ("2 h * 3 h", "two times cannot be multiplied"),
        ("5 / 2 h", "leave the units out"),
        ("sum(1,200)", "write 1200 or 1, 200"),
        ("100 000 + 1", "cannot read on at '000'"),
        ("month + 1", "use the tool dates"),
        ("sqrt(-1)", "no square root"),
        ("2 ** 0.3", "a power must be a whole number"),
        ("3 in hours", "'hours' is no unit for this"),
        ("__import__('os')", "cannot read"),
        ("open", "cannot read 'open'"),
        ("abs(1, 2)", "abs takes one number"),
    ],
)
def test_what_cannot_be_calculated_is_answered_with_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(ToolError) as error:
        calculate(expression)

    assert reason in str(error.value)
