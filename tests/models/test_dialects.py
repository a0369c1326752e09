"""How a model with a fault words a tool call, or something else in its place."""

from __future__ import annotations

import json

import pytest

from swarm.nouns.messages import Message, Request
from swarm.testing import ScriptedModel
from swarm.testing.double.dialects import DEFLECTIONS, REFUSALS, calls_in, turn
from swarm.testing.double.faults import WORD_FAULTS, Fault, WordFault

pytestmark = pytest.mark.anyio

CALL = turn("files.read", {"path": "a.txt", "lines": 3, "all": False})
RESULT = json.dumps({"result": "done"})
NAMED = '{"name": "files.read", "arguments": {"path": "a.txt", "lines": 3, "all": false}}'


def ask(*said: str) -> Request:
    messages = [Message(role="user", content="Go on.")]
    for text in said:
        messages += [Message(role="assistant", content=text), Message(role="user", content="Go on.")]
    return Request(messages=tuple(messages))


async def spoken(kind: WordFault, text: str = CALL, *said: str) -> str:
    return (await ScriptedModel(lambda _: text, faults=[Fault(kind)]).reply(ask(*said))).text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("hermes", f"<tool_call>\n{NAMED}\n</tool_call>"),
        ("fenced", f"I will call the tool.\n\n```json\n{NAMED}\n```\n"),
        ("bare-json", NAMED),
        ("python", "[files.read(path='a.txt', lines=3, all=False)]"),
        ("pipes", f"<|python_tag|>{NAMED.replace('arguments', 'parameters')}<|eom_id|>"),
        ("mistral", f"[TOOL_CALLS][{NAMED}]"),
        (
            "xml",
            "<tool_call>\n<function=files.read>\n<parameter=path>\na.txt\n</parameter>\n"
            "<parameter=lines>\n3\n</parameter>\n<parameter=all>\nfalse\n</parameter>\n</function>\n</tool_call>",
        ),
        ("native", CALL),
        ("two-calls", f"{CALL}\n{CALL}"),
        ("wrong-types", turn("files.read", {"path": ["a.txt"], "lines": "3", "all": "false"})),
        ("unknown-tool", CALL.replace("files.read", "files.read_now")),
    ],
)
async def test_a_tool_call_is_printed_in_the_dialect(kind: WordFault, text: str) -> None:
    assert await spoken(kind) == text


@pytest.mark.parametrize("kind", sorted(set(WORD_FAULTS) - {"refusal", "deflection", "thinking"}))
async def test_what_is_no_call_stays_as_it_is(kind: WordFault) -> None:
    assert await spoken(kind, RESULT) == RESULT


async def test_a_thought_may_speak_of_a_call_that_is_not_meant() -> None:
    text = await spoken("thinking")
    assert text.startswith("<think>")
    assert text.endswith(f"</think>\n\n{CALL}")
    assert text.count('"tool"') == 2


async def test_a_loop_repeats_the_first_call_for_ever() -> None:
    assert await spoken("loop", RESULT) == RESULT
    assert await spoken("loop", RESULT, "I think so.", CALL, RESULT) == CALL


async def test_a_refusal_and_a_deflection_say_something_else_each_time() -> None:
    model = ScriptedModel(lambda _: CALL, faults=[Fault("refusal", times=3), Fault("deflection")])
    said = [(await model.reply(ask())).text for _ in range(6)]
    assert set(said[:3]) == set(REFUSALS)
    assert set(said[3:]) == set(DEFLECTIONS)


def test_the_calls_of_a_turn_are_read_one_a_line_and_nothing_else_is_a_call() -> None:
    assert calls_in(f"{CALL}\n{CALL}") == [("files.read", {"path": "a.txt", "lines": 3, "all": False})] * 2
    for text in ("", RESULT, "3", f"{CALL}\nand so on", '["tool"]'):
        assert calls_in(text) == []
