"""Meeting notes with actions in them: some without a due date, some that are done already."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from examples.cells import written
from examples.example import Column, Truth, dice, run_generator, write_text

NAME = "meeting-actions"
PEOPLE = ("Anna", "Ben", "Clara", "David", "Emma")
MEETINGS = ("budget", "hiring", "office", "product", "sales", "website")
FIRST_DAY = date(2026, 3, 2)
DAYS = (0, 2, 4, 7, 9, 11)
"""Days from the first day to each meeting; none falls on a weekend."""

ACTIONS: tuple[tuple[str, str], ...] = (
    ("send the price list to the printer", "price list"),
    ("book the room for the workshop", "workshop"),
    ("compare three offers for new laptops", "laptops"),
    ("write the job advertisement", "job advertisement"),
    ("update the address on the invoices", "invoices"),
    ("order replacement chairs", "chairs"),
    ("call the landlord about the heating", "heating"),
    ("prepare the customer survey", "survey"),
    ("test the new contact form", "contact form"),
    ("draft the spring newsletter", "newsletter"),
    ("renew the software licences", "licences"),
    ("collect the travel receipts", "receipts"),
    ("proofread the product catalogue", "catalogue"),
    ("plan the summer party", "summer party"),
)
"""What is to be done and the words by which it is known again."""
REMARKS = (
    "The figures of last month were discussed and accepted.",
    "Everyone was content with how the last weeks went.",
    "The group agreed to keep the meeting short.",
    "A longer discussion about parking ended without a decision.",
    "The minutes of the previous meeting were approved.",
    "Next time the group meets in the small room.",
)
DONE = "{owner} reported that the task to {action} is finished, so nothing is left to do there."
MENTION = "{owner} was thanked for the good work of the past weeks."


@dataclass(frozen=True)
class Action:
    """One thing that somebody promised to do."""

    meeting: int
    """Position in ``MEETINGS``."""
    owner: str
    text: str
    words: str
    due: date | None


@dataclass(frozen=True)
class Notes:
    """All that the notes of a seed say."""

    actions: tuple[Action, ...]
    done: tuple[Action, ...]
    """Decoys: done already when the meeting took place."""
    thanked: str
    """Decoy: mentioned, and owes nothing by it."""

    @property
    def owes_most(self) -> str:
        owners = [action.owner for action in self.actions]
        return max(PEOPLE, key=owners.count)


def notes(seed: int) -> Notes:
    """The notes of a seed: twelve open actions, two or three of them without a due date."""
    chance = dice(NAME, seed)
    things = chance.sample(ACTIONS, len(ACTIONS))
    people = chance.sample(PEOPLE, len(PEOPLE))
    # One person owes four, the next three, so that nobody ties with the first.
    owners = people[:1] * 4 + people[1:2] * 3 + people[2:3] * 2 + people[3:4] * 2 + people[4:]
    chance.shuffle(owners)
    dateless = set(chance.sample(range(len(owners)), chance.choice((2, 3))))
    actions = tuple(
        _action(chance, number // 2, owner, things[number], has_due=number not in dateless)
        for number, owner in enumerate(owners)
    )
    done = tuple(
        _action(chance, meeting, chance.choice(PEOPLE), thing, has_due=False)
        for meeting, thing in zip(chance.sample(range(len(MEETINGS)), 2), things[len(owners) :], strict=True)
    )
    return Notes(actions, done, thanked=people[-1])


def _action(
    chance: random.Random, meeting: int, owner: str, thing: tuple[str, str], *, has_due: bool
) -> Action:
    due = _day(meeting) + timedelta(days=chance.randrange(5, 40)) if has_due else None
    return Action(meeting, owner, thing[0], thing[1], due)


def _day(meeting: int) -> date:
    return FIRST_DAY + timedelta(days=DAYS[meeting])


def truth(seed: int) -> Truth:
    """The open actions of a seed and who owes most of them."""
    said = notes(seed)
    return Truth(
        file="actions.csv",
        columns=(
            Column("owner", "text", ("owner", "who", "person", "name"), is_key=True),
            Column("action", "phrase", ("action", "task", "what"), is_key=True),
            Column("due", "date", ("due", "date", "deadline")),
        ),
        rows=tuple(
            {
                "owner": action.owner,
                "action": action.words,
                "due": action.due.isoformat() if action.due else "",
            }
            for action in said.actions
        ),
        decoys={action.words: "that one was done already" for action in said.done},
        answer=(said.owes_most,),
    )


def write(folder: Path, seed: int) -> None:
    """Writes ``notes/*.md`` into a folder."""
    chance = dice(NAME + "/prose", seed)
    said = notes(seed)
    praised = chance.randrange(len(MEETINGS))
    for number, meeting in enumerate(MEETINGS):
        remarks = [
            *_remarks(number, said, chance),
            *([MENTION.format(owner=said.thanked)] if number == praised else []),
        ]
        chance.shuffle(remarks)
        promised = [_open_line(action, chance) for action in said.actions if action.meeting == number]
        day = _day(number)
        title = f"# {meeting.capitalize()} meeting, {written(day)}"
        head = [title, "", f"Present: {', '.join(PEOPLE)}", "", " ".join(remarks), "", "Actions:"]
        text = "\n".join([*head, *(f"- {line}" for line in promised)])
        write_text(folder / "notes" / f"{day.isoformat()}-{meeting}.md", text + "\n")


def _remarks(number: int, said: Notes, chance: random.Random) -> list[str]:
    done = [DONE.format(owner=done.owner, action=done.text) for done in said.done if done.meeting == number]
    return done + chance.sample(REMARKS, 2)


def _open_line(action: Action, chance: random.Random) -> str:
    if action.due is None:
        return f"{action.owner}: {action.text}, no date set"
    due = chance.choice((action.due.isoformat(), written(action.due)))
    return f"{action.owner}: {action.text}, by {due}"


if __name__ == "__main__":
    run_generator(NAME)
