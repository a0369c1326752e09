"""Calls that name what stands nowhere, and what becomes of them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.agent.invented import Vouched, invented
from swarm.nouns.messages import Request
from swarm.nouns.plan import Plan, Step
from swarm.nouns.tool import EffectClass, Tool, tool
from swarm.run.run import Run
from swarm.run.swarm import Swarm
from swarm.testing import ScriptedModel

READ = (
    "Cancel the talk with ana.li@atlas.com, ticket PR-42, of 2026-11-30.",
    '[{"event_id": "00000256", "with": "Bo@atlas.com"}]',
)
KNOWN = Vouched(READ, [[{"order": 7012, "by": "cid@atlas.com"}]])


def made_up(
    args: dict[str, JsonValue], name: str = "cancel", effect: EffectClass = "irreversible"
) -> list[str]:
    return invented(args, Tool(server="s", name=name, description="", effect=effect), KNOWN)


@pytest.mark.parametrize(
    "args",
    [
        {"event_id": "00000256", "to": "bo@atlas.com"},
        {"id": 42, "to": ["Ana <ana.li@atlas.com>", "cid@atlas.com"]},
        {"orderId": 7012},
        {"to": "ana.li@atlas.com; Bo <bo@atlas.com>"},
        {"calendar_id": "primary", "parent_id": 0, "width": 9000, "valid": 5, "event_start": "2031-01-01"},
        {"body": "Write to nobody@nowhere.org about it."},
        {"event_id": None},
    ],
)
def test_what_was_given_or_read_may_be_acted_on_and_so_may_what_is_no_reference(
    args: dict[str, JsonValue],
) -> None:
    assert made_up(args) == []


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"event_id": "00000000"}, ["event_id '00000000'"]),
        ({"event_id": "0000025"}, ["event_id '0000025'"]),
        ({"id": 30}, ["id '30'"]),
        ({"item": {"ids": ["00000256", "77"]}}, ["ids '77'"]),
        ({"to": "li@atlas.com"}, ["to 'li@atlas.com'"]),
        ({"to": "ana.li@atlas.co"}, ["to 'ana.li@atlas.co'"]),
        ({"to": "Bo <bo@atlas.com>, jane@example.com"}, ["to 'jane@example.com'"]),
        ({"id": 1, "a_id": 2, "b-id": 3, "cID": 4}, ["id '1'", "a_id '2'", "b-id '3'"]),
    ],
)
def test_an_id_or_an_address_that_stands_nowhere_is_told(args: dict[str, JsonValue], told: list[str]) -> None:
    assert made_up(args) == told


def test_reading_may_guess_and_what_is_made_may_be_given_an_id() -> None:
    assert made_up({"event_id": "9"}, effect="pure") == []
    assert made_up({"event_id": "9"}, name="create_event") == []
    assert made_up({"event_id": "9"}, name="createEvent") == []
    assert made_up({"event_id": "9"}, name="creates") == ["event_id '9'"]
    assert made_up({"id": "9"}, name="add_event") == []
    assert made_up({"event_id": "9"}, name="add_comment") == ["event_id '9'"]
    assert made_up({"to": "x@y.org"}, name="create_event") == ["to 'x@y.org'"]


def test_a_choice_that_the_schema_lists_is_none_of_the_models() -> None:
    listed: dict[str, JsonValue] = {"type": "object", "properties": {"room_id": {"enum": ["r1", "r2"]}}}
    assert (
        invented({"room_id": "r1"}, Tool(server="s", name="book", description="", input_schema=listed), KNOWN)
        == []
    )


def test_a_long_text_is_looked_at_in_no_time() -> None:
    assert made_up({"body": " " * 200_000 + "@", "to": "a@" + "." * 900 + " "}) == []


@tool(effect="pure")
def find(who: str) -> str:
    """Finds the number of a talk."""
    return json.dumps({"talk_id": "00000256", "of": who})


def call(name: str, **args: JsonValue) -> str:
    return json.dumps({"tool": f"python.{name}", "args": args})


async def _cancelled(folder: Path, *turns: str) -> tuple[list[str], list[str], str]:
    """The talks that were cancelled, what the agent was told last at each turn, and how the run ended."""
    gone: list[str] = []
    told: list[str] = []

    @tool(effect="irreversible")
    def cancel(talk_id: str) -> str:
        """Cancels a talk."""
        gone.append(talk_id)
        return "It is cancelled."

    def reply(request: Request) -> str:
        if "python.cancel" not in request.messages[0].content:
            return json.dumps({"result": "It is cancelled."})
        told.append(request.messages[-1].content)
        return turns[min(len(told), len(turns)) - 1]

    plan = Plan(steps=(Step(id="cancel", agent="generalist", brief="Cancel the talk of Ana."),))
    async with (
        asyncio.timeout(60),
        Swarm.open(folder, model=ScriptedModel(reply), tools=[find, cancel]) as swarm,
    ):
        run: Run[str] = await swarm.start("Cancel the talk of Ana.", plan=plan)
        answer = await run.answer()
    return gone, told, f"{answer.status}: {'; '.join(answer.missing)}"


@pytest.mark.anyio
@pytest.mark.usefixtures("no_servers")
async def test_a_call_with_an_id_out_of_thin_air_is_not_made_and_its_agent_may_look_it_up(
    tmp_path: Path,
) -> None:
    done = json.dumps({"result": "It is cancelled."})
    gone, told, ended = await _cancelled(
        tmp_path,
        call("cancel", talk_id="00000000"),
        call("find", who="Ana"),
        call("cancel", talk_id="00000256"),
        done,
    )
    assert (
        "python.cancel was not called: neither the task nor what you have read has talk_id '00000000'."
        in told[1]
    )
    assert (gone, ended) == (["00000256"], "done: ")


@pytest.mark.anyio
@pytest.mark.usefixtures("no_servers")
async def test_an_agent_that_insists_on_it_fails_with_the_reason_and_changes_nothing(tmp_path: Path) -> None:
    gone, _, ended = await _cancelled(tmp_path, call("cancel", talk_id="00000000"))
    assert gone == []
    assert ended.startswith("failed: ")
    assert "neither the task nor what you have read has talk_id '00000000'" in ended
