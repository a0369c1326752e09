"""Proves that a 1.5B model gives typed answers: thirty types, each from a text of a few lines.

The texts are given, so that the answer alone is the model's. ``--only`` chooses cases by their names.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, cast

from pydantic import BaseModel, Field

from benchmarks.proof import Figure, Findings, Proof, prove
from benchmarks.runs import NO_SERVERS, workplace
from benchmarks.turns import result_turn
from swarm import Answer, Plan, Run, Step, Swarm
from swarm.models.choose import open_model
from swarm.models.model import Endpoint, Model
from swarm.nouns.messages import Reply, Request
from swarm.project.settings import ModelSettings
from swarm.run.typed import Form, form_of

MODEL = "qwen2.5-coder-1.5b-instruct"
RIGHT = 27
RUN_SECONDS = 900.0

PROOF = Proof(
    name="typed_answers",
    claim="A 1.5B model on CPU gives typed answers: choices, counts, dates, optionals, lists of models, unions, judgements, summaries.",
    bar=f"of 30 answers at least {RIGHT} right, none lost that the model had right",
)

Mood = Literal["angry", "calm", "happy"]


class Person(BaseModel):
    name: str = Field(description="family name only")
    city: str | None


class Item(BaseModel):
    name: str
    price: float


class Order(BaseModel):
    customer: str
    items: list[Item]
    total: float = Field(description="the prices together")


class Ticket(BaseModel):
    customer: str = Field(description="family name only")
    mood: Mood
    price: float | None


class Meeting(BaseModel):
    day: date
    place: str
    people: list[str]


class Review(BaseModel):
    stars: int = Field(
        ge=1, le=5, description="1 is very bad, 5 is very good", json_schema_extra={"judged": True}
    )
    product: str


class Task(BaseModel):
    owner: str
    due: date | None


class Card(BaseModel):
    kind: Literal["card"]
    last_digits: str = Field(description="the last four digits")


class Transfer(BaseModel):
    kind: Literal["transfer"]
    bank: str


class Stock(BaseModel):
    product: str
    pieces: int


class Flat(BaseModel):
    rooms: int
    rent: float = Field(description="a month, in euros")
    pets: bool = Field(description="whether pets are allowed")


class Summary(BaseModel):
    summary: str = Field(description="the text in one sentence of your own words")


@dataclass(frozen=True)
class Case:
    """A text, what is asked of it, the type, and whether a value is the right one."""

    name: str
    text: str
    task: str
    type: object
    is_right: Callable[[object], bool]


def is_(wanted: object) -> Callable[[object], bool]:
    """Whether it is exactly that."""
    return lambda value: value == wanted


def names(*wanted: str) -> Callable[[object], bool]:
    """Whether it is a list of these texts, in any order and case."""

    def check(value: object) -> bool:
        found = (
            [str(one).casefold() for one in cast("list[object]", value)] if isinstance(value, list) else []
        )
        return sorted(found) == sorted(one.casefold() for one in wanted)

    return check


def tells(*words: str) -> Callable[[object], bool]:
    """Whether it is a text that has these words."""

    def check(value: object) -> bool:
        text = (value.summary if isinstance(value, Summary) else str(value)).casefold()
        return all(word in text for word in words)

    return check


ORDER = "Mrs Hill ordered a kettle for 24.90 euros and a lamp for 15.10 euros."
MINUTES = "Minutes of 3 March 2026, held in Ulm. Present: Ana, Ben and Cid. Ana sends the offer by 10 March 2026. Ben calls the bank; no date was set."
KETTLE = "Hill writes: I hate this kettle! It broke after two days and nobody answers my letters. I want my money back."
STORE = "Shelf A: 12 kettles. Shelf B: 7 lamps. Shelf C: 30 chairs."
GARDEN = "The garden club met on Sunday. They planted forty tulips, repaired the old fence and decided to open the gate for visitors in May."
FLAT = "For rent: a flat of 3 rooms in Bonn, 850 euros a month. Cats and dogs are welcome."
LIST = "Bought today: bread, milk, butter, eggs and salt."


CASES = (
    Case("choice", KETTLE, "How does the customer feel?", Mood, is_("angry")),
    Case("choice, glad", "Thank you! The lamp is wonderful, I am delighted.", "How does the customer feel?", Mood, is_("happy")),
    Case("choice of topic", "The parcel came four days late.", "What is the complaint about?", Literal["delivery", "price", "quality"], is_("delivery")),
    Case("choice of language", "Guten Tag, ich möchte eine Lampe bestellen.", "Which language is it?", Literal["English", "French", "German"], is_("German")),
    Case("count of a list", LIST, "How many things were bought?", int, is_(5)),
    Case("count of people", MINUTES, "How many people were present?", int, is_(3)),
    Case("number", STORE, "How many lamps are there?", int, is_(7)),
    Case("sum", ORDER, "What do the kettle and the lamp cost together?", float, is_(40.0)),
    Case("price", ORDER, "What does the kettle cost?", float, is_(24.9)),
    Case("grouped number", "The turnover of 2025 was 1,234,500 euros.", "What was the turnover?", int, is_(1_234_500)),
    Case("number in words", "There are seven boats in the harbour.", "How many boats are there?", int, is_(7)),
    Case("date", MINUTES, "On which day was the meeting?", date, is_(date(2026, 3, 3))),
    Case("date with dots", "Die Rechnung ist am 15.04.2026 fällig.", "When is the invoice due?", date, is_(date(2026, 4, 15))),
    Case("optional, there", "Ms Weber lives in Kiel.", "Who is it?", Person, is_(Person(name="Weber", city="Kiel"))),
    Case("optional, not there", "Mr Braun called.", "Who is it?", Person, is_(Person(name="Braun", city=None))),
    Case("nothing", "The weather was fine.", "What is the invoice number? null if none is named.", str | None, is_(None)),
    Case("truth", FLAT, "Are pets allowed?", bool, is_(True)),
    Case("untruth", "The shop is closed on Mondays.", "Is the shop open on Mondays?", bool, is_(False)),
    Case("texts", MINUTES, "Who was present?", list[str], names("Ana", "Ben", "Cid")),
    Case("texts of a list", LIST, "What was bought?", list[str], names("bread", "milk", "butter", "eggs", "salt")),
    Case("model", FLAT, "Describe the flat.", Flat, is_(Flat(rooms=3, rent=850, pets=True))),
    Case("model with a choice", KETTLE, "Describe the complaint.", Ticket, is_(Ticket(customer="Hill", mood="angry", price=None))),
    Case("models", STORE, "What is in the store?", list[Stock], is_([Stock(product="kettles", pieces=12), Stock(product="lamps", pieces=7), Stock(product="chairs", pieces=30)])),
    Case("models with optionals", MINUTES, "Which tasks were given out?", list[Task], is_([Task(owner="Ana", due=date(2026, 3, 10)), Task(owner="Ben", due=None)])),
    Case("models within a model", ORDER, "What was ordered?", Order, lambda value: isinstance(value, Order) and [item.price for item in value.items] == [24.9, 15.1] and value.total == 40.0 and "Hill" in value.customer),
    Case("model with a list", MINUTES, "Describe the meeting.", Meeting, is_(Meeting(day=date(2026, 3, 3), place="Ulm", people=["Ana", "Ben", "Cid"]))),
    Case("union", "Paid by card ending in 4711.", "How was it paid?", Card | Transfer, is_(Card(kind="card", last_digits="4711"))),
    Case("union, the other", "Paid by transfer from Volksbank.", "How was it paid?", Card | Transfer, is_(Transfer(kind="transfer", bank="Volksbank"))),
    Case("judgement", KETTLE, "Rate the product.", Review, lambda value: isinstance(value, Review) and value.stars == 1 and "kettle" in value.product.casefold()),
    Case("summary", GARDEN, "Sum it up.", Summary, tells("tulip", "fence")),
)  # fmt: skip


class Teller:
    """A model whose agents give the text of a case, and whose answers are another model's."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.text = ""
        self.replies: list[str] = []

    @property
    def endpoint(self) -> Endpoint:
        """That of the other model."""
        return self.model.endpoint

    async def reply(self, request: Request) -> Reply:
        """The text, or the other model's answer."""
        if "It has been worked on" not in request.messages[0].content:
            return Reply(text=result_turn(self.text))
        reply = await self.model.reply(request)
        self.replies.append(reply.text)
        return reply


async def answers(model: Model, cases: tuple[Case, ...], folder: Path) -> list[dict[str, Figure]]:
    """What becomes of each case, one after the other."""
    teller = Teller(model)
    rows: list[dict[str, Figure]] = []
    async with Swarm.open(folder, model=teller) as swarm:
        for case in cases:
            teller.text, teller.replies = case.text, []
            began = time.monotonic()
            rows.append(row_of(case, await _answer(swarm, case), teller.replies))
            rows[-1]["wall (s)"] = round(time.monotonic() - began, 1)
            print("  " + ", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    return rows


async def _answer(swarm: Swarm, case: Case) -> Answer[object]:
    plan = Plan(steps=(Step(id="read", agent="writer", brief="Give the text as it is."),))
    async with asyncio.timeout(RUN_SECONDS):
        run: Run[object] = await swarm.start(case.task, plan=plan, answer_type=case.type)  # type: ignore[arg-type]  # unions too
        return await run.answer()


def row_of(case: Case, answer: Answer[object], replies: list[str]) -> dict[str, Figure]:
    """One record: the verdict, and whether a reply of the model's was right and then lost."""
    form = form_of(case.type)
    assert form is not None
    had = any(case.is_right(value) for reply in replies for value in _values(form, reply))
    is_right = case.is_right(answer.value)
    return {
        "case": case.name,
        "right": "yes" if is_right else "no",
        "lost": "yes" if had and not is_right else "no",
        "status": answer.status,
        "value": str(answer.value)[:160],
        "judged": ", ".join(answer.judged),
        "missing": "; ".join(answer.missing)[:160],
    }


def _values(form: Form, reply: str) -> list[object]:
    """The value that a reply has, where it is one."""
    try:
        return [form.value(json.loads(reply)["result"])]
    except (ValueError, KeyError, TypeError):
        return []


def summary(rows: list[dict[str, Figure]]) -> Findings:
    """The figures against the bar."""
    right = sum(row["right"] == "yes" for row in rows)
    lost = [str(row["case"]) for row in rows if row["lost"] == "yes"]
    told = sum(row["right"] == "no" and row["status"] != "done" for row in rows)
    figures: dict[str, Figure] = {
        "typed answers": len(rows),
        "right": right,
        "not right, and said so": told,
        "right, and marked as degraded": sum(
            row["right"] == "yes" and row["status"] != "done" for row in rows
        ),
        "had right and lost": len(lost),
    }
    faults = [f"{len(rows)} of 30 answers were asked for"] if len(rows) < 30 else []
    faults += [f"{right} answers are right, and {RIGHT} should be"] if right < RIGHT else []
    return Findings(figures, [*faults, *(f"{name} was right and got lost" for name in lost)], rows)


async def measure(options: argparse.Namespace) -> Findings:
    """Asks the embedded model for all of them."""
    cases = tuple(case for case in CASES if not options.only or case.name in options.only)
    async with open_model(options.model, ModelSettings()) as model:
        return summary(await answers(model, cases, project()))


def project() -> Path:
    """The folder that the runs are in; no server is started there."""
    folder = workplace(PROOF.name)
    (folder / "swarm.toml").write_text(NO_SERVERS, encoding="utf-8")
    return folder


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.typed_answers", description=__doc__)
    parser.add_argument("--only", nargs="*", metavar="CASE", help="cases by their names")
    parser.add_argument("--model", default=MODEL)
    return parser.parse_args()


if __name__ == "__main__":
    chosen = _options()
    prove(PROOF, lambda: asyncio.run(measure(chosen)))
