"""Putting a streamed answer together."""

from __future__ import annotations

import json
from typing import cast

import pytest
from pydantic import JsonValue

from swarm.models.client.streamed import Answer, Body, LineStream, ServerSentEvents, answer_of_type


def fed(answer: Answer, *lines: str) -> list[bool]:
    """Whether there was a token in each of the lines."""
    return [answer.feed(line.encode() + b"\n") for line in lines]


def chunk(**choice: object) -> str:
    return "data: " + json.dumps({"model": "m", "choices": [{"index": 0, **choice}]})


def line(done: bool = False, **message: object) -> str:
    counts = {"done_reason": "stop", "eval_count": 2} if done else {}
    return json.dumps({"model": "m", "message": {"role": "assistant", **message}, "done": done} | counts)


def whole(answer: Answer) -> dict[str, JsonValue]:
    return cast("dict[str, JsonValue]", json.loads(answer.body()))


def test_pieces_and_counts_become_one_completion() -> None:
    answer = ServerSentEvents()

    tokens = fed(
        answer,
        chunk(delta={"role": "assistant", "content": None}),
        ": ping",
        "",
        chunk(delta={"content": "hel"}),
        chunk(delta={"content": "lo"}) + "\r",
        chunk(delta={}, finish_reason="stop"),
        'data: {"choices": [], "usage": {"prompt_tokens": 3}, "timings": {"prompt_ms": 2.5}}',
        "data: [DONE]",
    )

    assert tokens == [False, False, False, True, True, False, False, False]
    assert (answer.is_done, answer.is_whole, answer.status(200)) == (True, True, 200)
    assert whole(answer) == {
        "id": "",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
        ],
        "usage": {"prompt_tokens": 3},
        "timings": {"prompt_ms": 2.5},
    }


def test_a_line_may_come_in_pieces_and_several_in_one() -> None:
    answer = ServerSentEvents()
    text = f"{chunk(delta={'content': 'é'})}\n{chunk(delta={'content': 'b'})}\n".encode()

    tokens = [answer.feed(text[at : at + 7]) for at in range(0, len(text), 7)]
    fed(answer, chunk(delta={}, finish_reason="stop"))

    assert sum(tokens) == 2
    assert '"content": "\\u00e9b"' in answer.body().decode()


def test_calls_in_pieces_become_whole_calls_and_thinking_stays_apart() -> None:
    answer = ServerSentEvents()

    tokens = fed(
        answer,
        chunk(delta={"reasoning_content": "hm"}),
        chunk(delta={"tool_calls": [{"index": 0, "function": {"name": "read", "arguments": '{"pa'}}]}),
        chunk(delta={"tool_calls": [{"index": 0, "function": {"arguments": 'th": 1}'}}]}),
        chunk(delta={"tool_calls": [{"index": 1, "function": {"name": "list", "arguments": "{}"}}]}),
        chunk(delta={}, finish_reason="tool_calls"),
    )

    assert tokens == [True, True, True, True, False]
    (choice,) = cast("list[dict[str, JsonValue]]", whole(answer)["choices"])
    assert choice["message"] == {
        "role": "assistant",
        "content": "",
        "reasoning_content": "hm",
        "tool_calls": [
            {"id": "0", "type": "function", "function": {"name": "read", "arguments": '{"path": 1}'}},
            {"id": "1", "type": "function", "function": {"name": "list", "arguments": "{}"}},
        ],
    }


def test_lines_become_one_answer_of_ollama() -> None:
    answer = LineStream()
    call = {"function": {"index": 0, "name": "read", "arguments": {"path": "a"}}}

    tokens = fed(
        answer,
        line(content="", thinking="hm"),
        line(content="hel"),
        line(content="lo"),
        line(content="", tool_calls=[call]),
        line(content="", tool_calls=[call]),
        line(content="", done=True),
    )

    assert tokens == [True, True, True, True, True, False]
    named = {"type": "function", "function": {"name": "read", "arguments": {"path": "a"}}}
    assert whole(answer) == {
        "model": "m",
        "message": {
            "role": "assistant",
            "content": "hello",
            "thinking": "hm",
            "tool_calls": [{"id": "0"} | named, {"id": "1"} | named],
        },
        "done": True,
        "done_reason": "stop",
        "eval_count": 2,
    }


@pytest.mark.parametrize(
    ("answer", "lines", "status"),
    [
        (
            ServerSentEvents(),
            [chunk(delta={"content": "x"}), 'data: {"error": {"code": 503, "message": "m"}}'],
            503,
        ),
        (ServerSentEvents(), ['error: {"error": {"message": "m"}}'], 500),
        (LineStream(), [line(content="x"), '{"error": {"message": "m"}}'], 500),
    ],
)
def test_an_error_in_a_stream_becomes_the_status_it_names(
    answer: Answer, lines: list[str], status: int
) -> None:
    fed(answer, *lines)

    assert (answer.is_whole, answer.is_done, answer.status(200)) == (True, False, status)
    assert cast("dict[str, JsonValue]", whole(answer)["error"])["message"] == "m"


@pytest.mark.parametrize("answer", [ServerSentEvents(), LineStream()])
def test_a_stream_without_its_end_is_not_whole(answer: Answer) -> None:
    fed(answer, chunk(delta={"content": "x"}) if isinstance(answer, ServerSentEvents) else line(content="x"))

    assert not answer.is_whole


@pytest.mark.parametrize("answer", [ServerSentEvents(), LineStream()])
def test_a_line_that_is_no_chunk_is_refused(answer: Answer) -> None:
    with pytest.raises(ValueError, match="Invalid JSON"):
        fed(answer, "data: <html>")


@pytest.mark.parametrize("answer", [ServerSentEvents(), LineStream(), Body()])
def test_an_answer_without_end_is_refused_before_it_fills_the_memory(answer: Answer) -> None:
    def feed() -> None:
        for _ in range(65):
            answer.feed(b" " * 2**20)

    with pytest.raises(ValueError, match="bytes"):
        feed()


def test_the_type_in_the_head_tells_how_an_answer_is_read() -> None:
    types = ("text/event-stream", "application/x-ndjson", "application/json", "text/html")

    assert [type(answer_of_type(one)) for one in types] == [ServerSentEvents, LineStream, Body, Body]
