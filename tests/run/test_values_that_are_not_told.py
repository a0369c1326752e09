"""Typed answers where the texts say nothing of a value: null is none, and a date is named as judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.run.test_typed_answers import TOLD, Due, Teller, answer_of

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]


@pytest.mark.parametrize(
    ("kind", "given", "told", "value"),
    [
        (str | None, "null", TOLD, None),
        (str | None, " Null ", TOLD, None),
        (list[str | None], ["Hill", "null"], TOLD, ["Hill", None]),
        (str | None, "null", "The device wrote null to its log.", "null"),
        (str, "null", TOLD, "null"),
    ],
)
async def test_the_word_null_is_no_value_where_the_type_takes_none_and_no_text_has_the_word(
    tmp_path: Path, kind: object, given: JsonValue, told: str, value: object
) -> None:
    answer = await answer_of(
        tmp_path, Teller(given, told=told), kind, "What is the number? null if none is named."
    )
    assert answer.value == value


@pytest.mark.parametrize("told", ["It is due on Friday.", "It is due in two weeks.", "Fällig am 12. März."])
async def test_a_date_that_no_date_of_the_texts_speaks_for_is_named_as_judged(
    tmp_path: Path, told: str
) -> None:
    answer = await answer_of(tmp_path, Teller({"due": "2026-03-12"}, told=told), Due, "When is it due?")
    assert (answer.status, answer.judged) == ("done", ("due",))


@pytest.mark.parametrize("told", ["It is due; it is 24.90.", "It has come.", "Numbers 7 and 2025."])
async def test_a_date_of_texts_that_speak_of_no_day_is_doubted(tmp_path: Path, told: str) -> None:
    answer = await answer_of(tmp_path, Teller({"due": "2026-03-12"}, told=told), Due, "Is it due?")
    assert (answer.status, answer.missing) == (
        "degraded",
        ("due: '2026-03-12' does not stand in what was found",),
    )
