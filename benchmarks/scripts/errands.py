"""Errands: sub-agents that do one thing of each effect class, and say what they do next without a fault.

A step for each person, and one for each row that those give. Where a call may or may not have taken
effect, the agent looks, and makes it again only when it did not.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from benchmarks.scripts.post import PEOPLE
from benchmarks.turns import call_turn, result_turn, unmarked
from swarm import Plan, Step
from swarm.nouns.messages import Request
from swarm.planner.draft import table_schema

TASK = "Do all errands, and say when all errands are done."
ANSWER = "All errands are done."
CARD = """---
description: does errands
tools: [post, files.write, database.query]
---
Do what you are asked, one thing after the other.
"""
SETTINGS = """[workspace]
path = "data"

[servers.post]
effects = { look = "pure", seen = "pure", note = "idempotent", order = "keyed", send = "irreversible" }

[servers.files]
effects = { write = "verifiable" }

[servers.database]
write = true
effects = { query = "keyed" }
"""
TABLE = "CREATE TABLE visits (who TEXT, what TEXT)"
PARTS = tuple(f"{person}-{number}" for person in PEOPLE for number in (1, 2))
PLAN = Plan(
    steps=(
        Step(
            id="people",
            agent="clerk",
            brief="Find out who there is.",
            expects={"type": "array", "items": {"type": "string"}},
        ),
        Step(
            id="visits",
            agent="clerk",
            each="people",
            brief="Do the errands of {item}.",
            expects=table_schema(["who:text", "part:text"]),
        ),
        Step(
            id="parts",
            agent="clerk",
            each="visits",
            brief="Settle {item}.",
            expects=table_schema(["part:text", "state:text"]),
            writes="parts.csv",
        ),
    )
)
_BRIEF = re.compile(r"Your step: (?:Do the errands of (\w+)\.|Settle who \w+, part ([\w-]+)\.)")
_COUNT = re.compile(r"^\d+$", re.MULTILINE)


@dataclass(frozen=True)
class Errand:
    """One call that must have its effect, and the call that looks whether it had."""

    tool: str
    args: dict[str, JsonValue]
    look: tuple[str, dict[str, JsonValue]] | None = None
    """None where the call may be made again as it is."""

    @property
    def turn(self) -> str:
        """The turn that makes the call."""
        return call_turn(self.tool, **self.args)


def letter(person: str) -> str:
    """The text of a person's file."""
    return f"Dear {person},\nall is well.\n"


def errands_of(place: str, name: str) -> list[Errand]:
    """What has to be done at a place, in its order."""
    if place.startswith("people"):
        return [Errand("post.look", {"who": "all"})]
    if place.startswith("parts"):
        return [_asked("order", name), _asked("send", name)]
    insert = f"INSERT INTO visits VALUES ('{name}', 'errand')"
    count = f"SELECT count(*) AS visits FROM visits WHERE who = '{name}'"
    rest = [
        Errand("post.note", {"who": name}),
        _asked("order", name),
        _asked("send", name),
        Errand("files.write", {"path": f"letters/{name}.txt", "content": letter(name)}),
        Errand("database.query", {"sql": insert}, ("database.query", {"sql": count})),
    ]
    random.Random(name).shuffle(rest)
    return [Errand("post.look", {"who": name}), *rest]


def _asked(tool: str, who: str) -> Errand:
    return Errand(f"post.{tool}", {"who": who}, ("post.seen", {"what": tool, "who": who}))


def place_of(request: Request) -> str:
    """Where in the run a request comes from, as its rows have it: ``step/item/attempt``."""
    if len(request.messages) == 1 or "It has been worked on" in request.messages[0].content:
        return "_answer/-/1"
    asked = request.messages[1].content
    attempt = 2 if "An earlier attempt failed" in asked else 1
    found = _BRIEF.search(asked)
    if found is None:
        return f"people/-/{attempt}"
    item = PEOPLE.index(found[1]) if found[1] else PARTS.index(found[2])
    return f"{'visits' if found[1] else 'parts'}/{item}/{attempt}"


def reply(request: Request) -> str:
    """The next errand, a look where one is in doubt, or the result."""
    place = place_of(request)
    if place.startswith("_answer"):
        return result_turn(ANSWER)
    name = _name(place)
    left = errands_of(place, name)
    looks, in_doubt = 0, False
    said = [unmarked(message.content) for message in request.messages[2:]]
    for turn, heard in zip(said[::2], said[1::2], strict=True):
        call = cast(dict[str, JsonValue], json.loads(turn))
        is_errand = call["tool"] == left[0].tool and turn == left[0].turn
        looks += not is_errand
        has_failed = heard.startswith(f"{call['tool']} failed")
        if is_errand:
            in_doubt = has_failed
        elif not has_failed:
            in_doubt = False
        if not in_doubt and (is_errand or _was_seen(heard)):
            left.pop(0)
    return _next(left, place, name, looks, in_doubt)


def _next(left: list[Errand], place: str, name: str, looks: int, in_doubt: bool) -> str:
    if not left:
        return result_turn(_result(place, name))
    errand = left[0]
    if not in_doubt or errand.look is None:
        return errand.turn
    tool, args = errand.look
    if tool == "database.query":
        return call_turn(tool, sql=f"{args['sql']} -- look {looks}")
    return call_turn(tool, **args, again=looks)


def _was_seen(heard: str) -> bool:
    if heard.startswith("post.seen gave:"):
        return "yes" in heard
    return any(int(count) > 0 for count in _COUNT.findall(heard))


def _name(place: str) -> str:
    step, item, _ = place.split("/")
    return PEOPLE[int(item)] if step == "visits" else PARTS[int(item)] if step == "parts" else ""


def _result(place: str, name: str) -> JsonValue:
    if place.startswith("people"):
        return [*PEOPLE]
    if place.startswith("visits"):
        return [{"who": name, "part": f"{name}-1"}, {"who": name, "part": f"{name}-2"}]
    return [{"part": name, "state": "confirmed"}]
