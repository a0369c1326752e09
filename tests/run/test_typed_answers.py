"""Typed answers: what a model is told of the type, what is checked, and what becomes of doubts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import pytest
from pydantic import BaseModel, Field, JsonValue, field_validator
from typing_extensions import TypedDict

from swarm import Answer, Plan, ProjectError, Run, Step, Swarm
from swarm.nouns.messages import Request
from swarm.run.typed import form_of, outline
from swarm.testing import ScriptedModel

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("no_servers")]

TOLD = (
    "Mrs Hill bought a kettle and a lamp on 2 January 2026. I hate the kettle, she says. It cost 24.90 EUR."
)


class Mood(Enum):
    """How somebody feels."""

    ANGRY = "angry"
    CALM = "calm"


class Unit(Enum):
    """A currency."""

    EUR = "EUR"
    USD = "USD"


class Price(BaseModel):
    """What something costs."""

    amount: float
    unit: Unit


class Due(BaseModel):
    """When something is due."""

    due: date


class Item(BaseModel):
    """Something that was bought."""

    name: str
    price: Price | None


class Ticket(BaseModel):
    """A complaint."""

    customer: str = Field(description="family name only")
    mood: Literal["angry", "calm"]
    price: float | None
    bought: date
    items: list[Item]
    currency: str = "EUR"


@dataclass
class Sale:
    """A sale."""

    customer: str
    items: int


class Person(TypedDict):
    """A person."""

    name: str


class Pair(NamedTuple):
    """Two things."""

    first: str
    second: str


class Judgement(BaseModel):
    """What a reader thinks."""

    score: int = Field(ge=1, le=5, json_schema_extra={"judged": True})
    reason: str


class Cat(BaseModel):
    """A cat."""

    kind: Literal["cat"]
    lives: int


class Kettle(BaseModel):
    """A kettle."""

    kind: Literal["kettle"]
    price: float


class Even(BaseModel):
    """A number that a rule holds."""

    number: int

    @field_validator("number")
    @classmethod
    def _even(cls, number: int) -> int:
        if number % 2:
            raise ValueError("must be even")
        return number


class Fragile(BaseModel):
    """A type whose own code fails."""

    amount: float

    @field_validator("amount")
    @classmethod
    def _ratio(cls, amount: float) -> float:
        return 1 / (amount - 24.9)


class Tree(BaseModel):
    """A thing in a thing."""

    name: str
    inside: list[Tree] = []


class Teller:
    """A model that gives one answer after the other, the last for ever, and what it was asked."""

    def __init__(self, *answers: JsonValue, told: str = TOLD) -> None:
        self.answers = list(answers)
        self.told = told
        self.asked: list[str] = []
        self.model = ScriptedModel(self._reply)

    def _reply(self, request: Request) -> str:
        if "It has been worked on" not in request.messages[0].content:
            return json.dumps({"result": self.told})
        self.asked.append(request.messages[-1].content)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return json.dumps({"result": answer})


async def answer_of(
    folder: Path, teller: Teller, answer_type: object, task: str = "What is told?"
) -> Answer[object]:
    plan = Plan(steps=(Step(id="read", agent="writer", brief="Read it."),))
    async with asyncio.timeout(60), Swarm.open(folder, model=teller.model) as swarm:
        run: Run[object] = await swarm.start(task, plan=plan, answer_type=answer_type)  # type: ignore[arg-type]  # also unions
        return await run.answer()


async def test_the_model_is_told_fields_descriptions_choices_and_defaults(tmp_path: Path) -> None:
    teller = Teller({
        "customer": "Hill", "mood": "angry", "price": None, "bought": "2026-01-02",
        "items": [{"name": "kettle", "price": {"amount": 24.9, "unit": "EUR"}}, {"name": "lamp", "price": None}],
    })  # fmt: skip
    answer = await answer_of(tmp_path, teller, Ticket)
    assert """\
{
  customer: text - family name only
  mood: "angry" or "calm"
  price: number or null
  bought: date as YYYY-MM-DD
  items: a list of {
    name: text
    price: {
      amount: number
      unit: "EUR" or "USD" - A currency.
    } or null
  }
  currency: text - "EUR" where it is not said
} (A complaint.)""" in teller.asked[0]
    assert "one to three sentences" not in teller.asked[0]
    assert answer.value == Ticket(
        customer="Hill",
        mood="angry",
        price=None,
        bought=date(2026, 1, 2),
        items=[
            Item(name="kettle", price=Price(amount=24.9, unit=Unit.EUR)),
            Item(name="lamp", price=None),
        ],
    )
    assert (answer.status, answer.missing, answer.judged) == ("done", (), ("mood",))
    assert "Judged, not read: mood" in answer.text


ACCEPTED: dict[str, tuple[object, JsonValue, object, str]] = {
    "a choice": (Literal["good", "bad"], "bad", "bad", "the answer"),
    "an enumeration": (Mood, "angry", Mood.ANGRY, "the answer"),
    "a choice or nothing": (Literal["good", "bad"] | None, None, None, ""),
    "a model or nothing": (Item | None, None, None, ""),
    "a union": (
        Cat | Kettle,
        {"kind": "kettle", "price": 24.9},
        Kettle(kind="kettle", price=24.9),
        "",
    ),
    "a tagged union": (
        Annotated[Cat | Kettle, Field(discriminator="kind")],
        {"kind": "kettle", "price": 24.9},
        Kettle(kind="kettle", price=24.9),
        "",
    ),
    "a truth value": (bool, True, True, "the answer"),
    "a number": (float, 24.9, 24.9, ""),
    "an exact number": (Decimal, "24.90", Decimal("24.90"), ""),
    "a date": (date, "2026-01-02", date(2026, 1, 2), ""),
    "a time": (datetime, "2026-01-02T00:00:00", datetime(2026, 1, 2), ""),  # as it is told
    "a list of texts": (list[str], ["kettle", "lamp"], ["kettle", "lamp"], ""),
    "a set": (set[str], ["kettle"], {"kettle"}, ""),
    "a tuple": (tuple[str, float], ["kettle", 24.9], ("kettle", 24.9), ""),
    "a named tuple": (Pair, ["kettle", "lamp"], Pair("kettle", "lamp"), ""),
    "names with numbers": (dict[str, float], {"kettle": 24.9}, {"kettle": 24.9}, ""),
    "a list of models": (
        list[Item],
        [{"name": "kettle", "price": None}],
        [Item(name="kettle", price=None)],
        "",
    ),
    "a dataclass with a count": (Sale, {"customer": "Hill", "items": 2}, Sale("Hill", 2), ""),
    "a typed dict": (Person, {"name": "Hill"}, {"name": "Hill"}, ""),
    "a nested model": (Price, {"amount": 24.9, "unit": "EUR"}, Price(amount=24.9, unit=Unit.EUR), ""),
    "a marked judgement": (
        Judgement,
        {"score": 1, "reason": "she hates the kettle"},
        Judgement(score=1, reason="she hates the kettle"),
        "score",
    ),
    "a summary": (
        str,
        "A woman called Hill acquired two household goods early in the year and is unhappy with one of them.",
        "A woman called Hill acquired two household goods early in the year and is unhappy with one of them.",
        "the answer",
    ),
    "a model within itself": (
        Tree,
        {"name": "kettle", "inside": [{"name": "lamp", "inside": []}]},
        Tree(name="kettle", inside=[Tree(name="lamp")]),
        "",
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_a_value_that_is_told_chosen_counted_or_summed_up_is_done(tmp_path: Path, name: str) -> None:
    kind, given, wanted, judged = ACCEPTED[name]
    teller = Teller(given)
    answer = await answer_of(tmp_path, teller, kind)
    assert (answer.status, answer.value, answer.missing) == ("done", wanted, ())
    assert answer.judged == ((judged,) if judged else ())
    assert len(teller.asked) == 1


FOLLOWS: dict[str, tuple[str, JsonValue]] = {
    "a count of what is listed": ("She bought a kettle, a lamp, a chair, a desk and a radio.", 5),
    "a count of lines": ("- kettle\n- lamp\n- chair", 3),
    "a sum in one unit": ("The kettle is 10 euros, bought in 2025. The lamp is 15 euros.", 25),
    "a sum of signs": ("€10.50 for the kettle and €4.50 for the lamp", 15),
    "a number in words": ("There are seven kettles.", 7),
    "a number of two words": ("There are twenty-five kettles.", 25),
    "a share": ("30% of the kettles are broken.", 0.3),
    "a grouped number": ("The total is 1,234.50 EUR.", 1234.5),
    "a number of the continent": ("The total is 1.234,50 EUR.", 1234.5),
}


@pytest.mark.parametrize("name", FOLLOWS)
async def test_a_number_that_follows_from_what_was_read_is_done(tmp_path: Path, name: str) -> None:
    told, number = FOLLOWS[name]
    answer = await answer_of(tmp_path, Teller(number, told=told), float, "What is it in total?")
    assert (answer.status, answer.value, answer.missing) == ("done", number, ())


@pytest.mark.parametrize(
    ("task", "status"),
    [("How strongly do they go together?", "degraded"), ("How many lamps are blue?", "done")],
)
async def test_nought_follows_from_nothing_but_counting(tmp_path: Path, task: str, status: str) -> None:
    told = "- kettle: 10 euros\n- lamp: 15 euros"
    answer = await answer_of(tmp_path, Teller(0.0, told=told), float, task)

    assert (answer.status, answer.value) == (status, 0.0)


async def test_a_sum_that_nobody_asked_for_is_doubted(tmp_path: Path) -> None:
    told = "The kettle is 10 euros. The lamp is 15 euros."
    answer = await answer_of(tmp_path, Teller(25.0, told=told), float, "What does the kettle cost?")
    assert (answer.status, answer.value) == ("degraded", 25.0)
    assert answer.missing == ("25.0 does not stand in what was found",)


async def test_a_number_that_does_not_follow_is_kept_and_named_and_not_asked_again(tmp_path: Path) -> None:
    teller = Teller({"customer": "Hill", "items": 9})
    answer = await answer_of(tmp_path, teller, Sale)
    assert answer.value == Sale("Hill", 9)
    assert answer.status == "degraded"
    assert answer.missing == ("items: 9 does not stand in what was found",)
    assert len(teller.asked) == 1


async def test_a_name_that_does_not_stand_there_is_asked_again_and_the_better_one_taken(
    tmp_path: Path,
) -> None:
    teller = Teller({"customer": "Miller", "items": 2}, {"customer": "Hill", "items": 2})
    answer = await answer_of(tmp_path, teller, Sale)
    assert (answer.status, answer.value) == ("done", Sale("Hill", 2))
    assert "Miller" in teller.asked[1]


async def test_a_name_that_stays_is_kept_and_named(tmp_path: Path) -> None:
    answer = await answer_of(tmp_path, Teller({"customer": "Miller", "items": 2}), Sale)
    assert (answer.status, answer.value) == ("degraded", Sale("Miller", 2))
    assert answer.missing == ("customer: 'Miller' does not stand in what was found",)


async def test_a_value_is_not_lost_to_a_worse_second_reply(tmp_path: Path) -> None:
    teller = Teller({"customer": "Miller", "items": 2}, {"customer": "Miller", "items": "none"})
    answer = await answer_of(tmp_path, teller, Sale)
    assert answer.value == Sale("Miller", 2)
    teller = Teller({"customer": "Miller", "items": 2}, {"customer": "Muller", "items": 77})
    answer = await answer_of(tmp_path, teller, Sale)
    assert answer.value == Sale("Miller", 2)


async def test_a_summary_with_a_figure_that_was_not_found_is_named(tmp_path: Path) -> None:
    text = "A woman acquired two household goods and complained loudly of having paid 83 for one of them."
    answer = await answer_of(tmp_path, Teller(text), str)
    assert (answer.status, answer.value) == ("degraded", text)
    assert "does not stand in what was found" in answer.missing[0]


REFUSED: dict[str, tuple[object, JsonValue, JsonValue, str]] = {
    "no such day": (Due, {"due": "2026-02-31"}, {"due": "2026-01-02"}, "due: "),
    "against a rule of the type": (Even, {"number": 3}, {"number": 2}, "number: Value error, must be even"),
    "out of range": (Judgement, {"score": 9, "reason": "x"}, {"score": 1, "reason": "hate"}, "score"),
    "no choice": (Mood, "furious", "angry", "furious"),
    "a field too few": (Sale, {"customer": "Hill"}, {"customer": "Hill", "items": 2}, "items"),
    "code of the type that fails": (Fragile, {"amount": 24.9}, {"amount": 2}, "ZeroDivisionError"),
    "another day within a list": (
        list[Due],
        [{"due": "2026-02-30"}],
        [{"due": "2026-01-02"}],
        "0.due: ",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_value_that_the_type_refuses_is_corrected_once(tmp_path: Path, name: str) -> None:
    kind, wrong, right, why = REFUSED[name]
    teller = Teller(wrong, right)
    answer = await answer_of(tmp_path, teller, kind)
    assert answer.value is not None
    assert answer.status == "done", answer.missing
    assert why in teller.asked[1]


@pytest.mark.parametrize("name", REFUSED)
async def test_a_value_that_stays_refused_degrades_the_run_with_the_reason(tmp_path: Path, name: str) -> None:
    kind, wrong, _, why = REFUSED[name]
    teller = Teller(wrong)
    answer = await answer_of(tmp_path, teller, kind)
    assert (answer.status, answer.value) == ("degraded", None)
    assert answer.missing[0].startswith("no typed answer: ")
    assert why in answer.missing[0]
    assert len(teller.asked) == 2


async def test_a_list_that_is_cut_off_is_no_shorter_list(tmp_path: Path) -> None:
    whole = json.dumps({"result": ["kettle", "lamp"]})

    def script(request: Request) -> str:
        if "It has been worked on" not in request.messages[0].content:
            return json.dumps({"result": TOLD})
        return whole + " " * 8_000

    plan = Plan(steps=(Step(id="read", agent="writer", brief="Read it."),))
    async with asyncio.timeout(60), Swarm.open(tmp_path, model=ScriptedModel(script)) as swarm:
        run = await swarm.start("What is told?", plan=plan, answer_type=list[str])
        answer = await run.answer()
    assert answer.status in ("degraded", "done")
    assert answer.value in (None, ["kettle", "lamp"])


async def test_rows_that_the_model_did_not_see_are_named(tmp_path: Path) -> None:
    rows: list[JsonValue] = [{"name": f"item {number} " + "x" * 120} for number in range(60)]
    table: dict[str, JsonValue] = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
        },
    }

    def script(request: Request) -> str:
        is_answer = "It has been worked on" in request.messages[0].content
        return json.dumps({"result": 60 if is_answer else rows})

    plan = Plan(steps=(Step(id="read", agent="writer", brief="Read it.", expects=table),))
    (tmp_path / "agents").mkdir()
    card = "---\ndescription: Lists.\nlimits: {reply_tokens: 3500}\n---\nYou list.\n"
    (tmp_path / "agents" / "writer.md").write_text(card, encoding="utf-8")
    model = ScriptedModel(script, window=4_096)
    async with asyncio.timeout(60), Swarm.open(tmp_path, model=model) as swarm:
        run = await swarm.start("How many are there?", plan=plan, answer_type=int)
        answer = await run.answer()
    assert answer.value == 60
    assert answer.status == "degraded"
    assert " of the 60 rows of read" in answer.missing[0]


async def test_a_finished_run_can_be_asked_for_another_type(tmp_path: Path) -> None:
    plan = Plan(steps=(Step(id="read", agent="writer", brief="Read it."),))
    teller = Teller({"customer": "Hill", "items": 2})
    async with asyncio.timeout(60), Swarm.open(tmp_path, model=teller.model) as swarm:
        first: Run[str] = await swarm.start("What is told?", plan=plan)
        assert (await first.answer()).value is None
        again = await swarm.resume(answer_type=Sale)
        assert (await again.answer()).value == Sale("Hill", 2)
        same = await swarm.resume(answer_type=Sale)
        assert (await same.answer()).value == Sale("Hill", 2)
    assert len(teller.asked) == 1


@pytest.mark.parametrize("kind", [Callable[[int], int], object(), "no type", {"a": 1}])
def test_what_no_schema_can_be_made_of_is_refused_with_what_to_give(kind: object) -> None:
    with pytest.raises(ProjectError, match="give a pydantic model"):
        form_of(kind)


def test_definitions_are_in_their_place_and_marks_are_not_sent() -> None:
    form = form_of(list[Item])
    assert form is not None
    assert "$ref" not in json.dumps(form.sent)
    judged = form_of(Judgement)
    assert judged is not None
    assert judged.sent == {
        "type": "object",
        "properties": {
            "score": {"type": "integer", "minimum": 1, "maximum": 5},
            "reason": {"type": "string"},
        },
        "required": ["score", "reason"],
        "additionalProperties": False,
    }
    assert outline(judged.schema).startswith("{\n  score: whole number from 1 to 5 - judge it\n")


def test_fields_called_as_keywords_are_fields() -> None:
    class Book(BaseModel):
        title: str
        description: str
        default: int
        properties: list[str]
        judged: bool

    form = form_of(Book)
    assert form is not None
    properties = form.sent["properties"]
    assert isinstance(properties, dict)
    assert list(properties) == ["title", "description", "default", "properties", "judged"]
    assert outline(form.schema).splitlines()[1] == "  title: text"
