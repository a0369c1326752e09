"""Several replies to one request: put together from a stream, each with its own end."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

from pydantic import JsonValue

from swarm.models.client.completion import Completion, reply_of
from swarm.models.client.streamed import ServerSentEvents
from swarm.nouns.messages import Message, Reply, Request


def sent(**chunk: JsonValue) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def piece(index: int, text: str, finish: str | None = None) -> bytes:
    return sent(choices=[{"index": index, "delta": {"content": text}, "finish_reason": finish}])


def test_a_stream_is_whole_when_each_choice_has_ended() -> None:
    stream = ServerSentEvents()
    stream.feed(piece(0, "a") + piece(1, "b") + piece(0, "A", "stop"))

    assert not stream.is_whole
    stream.feed(piece(1, "B", "length"))
    assert stream.is_whole
    choices = json.loads(stream.body())["choices"]
    assert [(one["message"]["content"], one["finish_reason"]) for one in choices] == [
        ("aA", "stop"),
        ("bB", "length"),
    ]


def test_an_error_ends_a_stream_of_several() -> None:
    stream = ServerSentEvents()
    stream.feed(piece(0, "a") + piece(1, "b") + sent(error={"code": 503, "message": "gone"}))

    assert stream.is_whole
    assert stream.status(200) == 503


def test_what_all_choices_wrote_is_counted_and_the_prompt_once() -> None:
    stream = ServerSentEvents()
    stream.feed(piece(0, "a", "stop") + piece(1, "b", "stop"))
    stream.feed(sent(choices=[], usage={"prompt_tokens": 50, "completion_tokens": 7}))
    stream.feed(sent(choices=[], usage={"prompt_tokens": 50, "completion_tokens": 5}))

    assert json.loads(stream.body())["usage"] == {"prompt_tokens": 50, "completion_tokens": 12}


def test_a_stream_of_one_reply_tells_its_usage_last() -> None:
    stream = ServerSentEvents()
    stream.feed(piece(0, "a", "stop"))
    for written in (1, 9):
        stream.feed(sent(choices=[], usage={"prompt_tokens": 50, "completion_tokens": written}))

    assert json.loads(stream.body())["usage"]["completion_tokens"] == 9


def replied(*said: tuple[str, str]) -> Reply:
    choices = [
        SimpleNamespace(finish_reason=finish, message=SimpleNamespace(content=text, tool_calls=None))
        for text, finish in said
    ]
    usage = SimpleNamespace(prompt_tokens=5, completion_tokens=5, prompt_tokens_details=None)
    completion: Any = SimpleNamespace(choices=choices, usage=usage, model="m")
    return reply_of(cast(Completion, completion), "{}", 1.0, None)


def test_samples_that_were_cut_off_or_say_nothing_are_left_out() -> None:
    reply = replied(("a", "stop"), ("b", "length"), (" ", "stop"), ("c", "stop"))

    assert (reply.text, reply.finish, reply.others) == ("a", "stop", ("c",))


def test_a_first_sample_that_says_nothing_takes_none_of_the_others_with_it() -> None:
    reply = replied(("", "length"), ("b", "stop"), ("c", "stop"))

    assert (reply.text, reply.finish, reply.others) == ("b", "stop", ("c",))


def test_how_many_are_wanted_is_part_of_the_question() -> None:
    one = Request(messages=(Message(role="user", content="x"),))
    four = Request(messages=one.messages, samples=4)

    assert one.digest() == Request(messages=one.messages, samples=1).digest() != four.digest()
