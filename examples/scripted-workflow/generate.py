"""Letters of customers: some want their money back or a repair, some forgot the order number."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from examples.example import Column, Truth, dice, run_generator, write_text

NAME = "scripted-workflow"
Wish = Literal["refund", "repair", "nothing"]

CASES: tuple[Wish, ...] = ("refund", "refund", "refund", "repair", "repair")
PRAISE: tuple[Wish, ...] = ("nothing", "nothing")
CUSTOMERS = ("Hill", "Marsh", "Stone", "Field", "Brook", "Wood", "Lake")
PRODUCTS = ("kettle", "toaster", "desk lamp", "radio", "vacuum cleaner", "heater", "coffee mill")
DEFECTS = (
    "Since yesterday it does not switch on any more.",
    "It makes a loud noise and then stops.",
    "A part of the housing broke off in the first week.",
    "It became so hot that I had to pull the plug.",
)
REQUESTS: dict[Wish, str] = {
    "refund": "Please refund the price to my account.",
    "repair": "Please repair it and send it back to me.",
    "nothing": "My neighbour got a refund for hers, but I want nothing: mine works perfectly. Thank you for it!",
}
CHAT = (
    "I have been a customer of yours for many years.",
    "The parcel came quickly and was well packed.",
    "Your shop in the station road was always a pleasure to visit.",
    "I hope that you can answer before the holidays.",
    "By telephone I could not reach anybody this week.",
)


@dataclass(frozen=True)
class Letter:
    """One letter and what its writer wants."""

    customer: str
    product: str
    order: str
    """Empty where the writer does not know it any more."""
    wish: Wish


def letters(seed: int) -> list[Letter]:
    """The letters of a seed: five cases, two of them without an order number, and two of praise."""
    chance = dice(NAME, seed)
    customers = chance.sample(CUSTOMERS, len(CUSTOMERS))
    products = chance.sample(PRODUCTS, len(PRODUCTS))
    numbers = [str(number) for number in chance.sample(range(10_000, 100_000), len(customers))]
    forgotten = set(chance.sample(range(len(CASES)), 2))
    wishes = (*chance.sample(CASES, len(CASES)), *PRAISE)
    return [
        Letter(customer, product, "" if number in forgotten else numbers[number], wish)
        for number, (customer, product, wish) in enumerate(zip(customers, products, wishes, strict=True))
    ]


def truth(seed: int) -> Truth:
    """The cases of a seed, and how many want their money back."""
    made = letters(seed)
    cases = [letter for letter in made if letter.wish != "nothing"]
    return Truth(
        file="cases.csv",
        columns=(
            Column("customer", "text", ("customer", "name"), is_key=True),
            Column("product", "text", ("product",)),
            Column("order", "text", ("order", "number")),
            Column("wish", "text", ("wish", "request")),
        ),
        rows=tuple(
            {"customer": case.customer, "product": case.product, "order": case.order, "wish": case.wish}
            for case in cases
        ),
        decoys={letter.customer: "that writer wants nothing" for letter in made if letter not in cases},
        answer=tuple(case.customer for case in cases if case.wish == "refund"),
    )


def write(folder: Path, seed: int) -> None:
    """Writes ``letters/*.txt`` into a folder."""
    chance = dice(NAME + "/prose", seed)
    for number, letter in enumerate(chance.sample(made := letters(seed), len(made)), start=1):
        write_text(folder / "letters" / f"letter-{number}.txt", _prose(letter, chance))


def _prose(letter: Letter, chance: random.Random) -> str:
    order = (
        f"The order number is {letter.order}." if letter.order else "I can't find the order number any more."
    )
    bought = f"last month I bought a {letter.product} from you. {order}"
    defect = [] if letter.wish == "nothing" else [chance.choice(DEFECTS)]
    chat = chance.sample(CHAT, 3)
    body = " ".join([bought, chat[0], *defect, chat[1], REQUESTS[letter.wish], chat[2]])
    return f"Dear Sir or Madam,\n\n{body}\n\nYours sincerely\n{letter.customer}\n"


if __name__ == "__main__":
    run_generator(NAME)
