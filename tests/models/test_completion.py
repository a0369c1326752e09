"""The reply in an answer: text, calls in the protocol's own field, thinking and counts."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import cast

import pytest

from swarm.errors import MalformedReply
from swarm.models.client.completion import Completion, reply_of
from swarm.nouns.limits import Usage
from swarm.nouns.messages import Reply


def read(
    content: str | None,
    *,
    calls: list[tuple[str, str]] | None = None,
    reasoning: str | None = None,
    raw: dict[str, object] | None = None,
) -> Reply:
    functions = [
        SimpleNamespace(function=SimpleNamespace(name=name, arguments=args)) for name, args in calls or ()
    ]
    message = SimpleNamespace(content=content, tool_calls=functions or None, reasoning_content=reasoning)
    usage = SimpleNamespace(
        prompt_tokens=10, completion_tokens=4, prompt_tokens_details=SimpleNamespace(cached_tokens=6)
    )
    choice = SimpleNamespace(finish_reason="stop", message=message)
    completion = SimpleNamespace(model="ollama_chat/m", choices=[choice], usage=usage)
    return reply_of(cast("Completion", completion), json.dumps(raw or {}), 2.0, 1.5)


def test_text_is_the_reply_and_the_counts_tell_what_was_cached() -> None:
    reply = read("yes")

    assert (reply.text, reply.finish, reply.model) == ("yes", "stop", "m")
    assert reply.usage == Usage(
        prefilled_tokens=4,
        cached_tokens=6,
        written_tokens=4,
        model_calls=1,
        model_seconds=2.0,
        prefill_seconds=1.5,
    )


def test_calls_in_the_field_for_calls_become_one_json_object_a_line() -> None:
    reply = read(None, calls=[("files.read", '{"path": "ä"}'), ("files.list", "")])

    assert reply.text == '{"tool": "files.read", "args": {"path": "ä"}}\n{"tool": "files.list", "args": {}}'


def test_arguments_that_are_no_json_stay_the_text_they_are() -> None:
    assert json.loads(read(None, calls=[("a", '{"path": ')]).text) == {"tool": "a", "args": '{"path": '}


@pytest.mark.parametrize(
    ("content", "reasoning"),
    [
        ("yes", "hm, hm."),
        ("<think>hm, hm.</think>\n\nyes", None),
        (" <thinking>\nhm, hm</thinking>yes", None),
        ("hm, hm.\n</think>\nyes", None),
        ("[THINK]hm, hm.[/THINK]yes", None),
    ],
)
def test_thinking_is_counted_and_no_part_of_the_reply(content: str, reasoning: str | None) -> None:
    reply = read(content, reasoning=reasoning)

    assert reply.text == "yes"
    assert reply.usage.thought_tokens in (1, 2)


def test_json_may_speak_of_thinking_marks() -> None:
    text = '{"result": "ends with </think>"}'

    assert read(text).text == text


@pytest.mark.parametrize(
    ("content", "reasoning", "why"),
    [
        (None, None, "it is empty"),
        (" \n", None, "it is empty"),
        ("", "hm", "it only thought; raise limits.reply_tokens"),
        ("<think>hm", None, "it only thought"),
        ("<think>hm</think> ", None, "it only thought"),
    ],
)
def test_an_answer_without_words_of_its_own_is_malformed(
    content: str | None, reasoning: str | None, why: str
) -> None:
    with pytest.raises(MalformedReply, match=why):
        read(content, reasoning=reasoning)


def test_an_answer_without_choices_is_malformed() -> None:
    with pytest.raises(MalformedReply, match="no choices"):
        reply_of(cast("Completion", SimpleNamespace(choices=[])), "{}", 1.0, None)


def test_the_times_a_server_tells_are_taken_and_the_rest_was_waiting() -> None:
    llamacpp = read("yes", raw={"timings": {"prompt_ms": 500}}).usage
    ollama = read("yes", raw={"prompt_eval_duration": 250_000_000, "load_duration": 1_000_000_000}).usage

    assert (llamacpp.prefill_seconds, llamacpp.load_seconds, llamacpp.queued_seconds) == (0.5, 0.0, 1.0)
    assert (ollama.prefill_seconds, ollama.load_seconds, ollama.queued_seconds) == (0.25, 1.0, 0.25)
