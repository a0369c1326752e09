"""Putting a streamed answer together."""

from __future__ import annotations

import json

import pytest

from swarm.models.stream import Assembly, streamed


def fed(*lines: str) -> Assembly:
    assembly = Assembly()
    for line in lines:
        assembly.feed(line)
    return assembly


def chunk(**choice: object) -> str:
    return "data: " + json.dumps({"model": "m", "choices": [{"index": 0, **choice}]})


def test_pieces_and_usage_become_one_completion() -> None:
    assembly = fed(
        chunk(delta={"role": "assistant", "content": None}),
        ": ping",
        "",
        chunk(delta={"content": "hel"}),
        chunk(delta={"content": "lo"}),
        chunk(delta={}, finish_reason="stop"),
        'data: {"choices": [], "usage": {"prompt_tokens": 3}}',
        "data: [DONE]",
    )

    assert (assembly.is_done, assembly.status()) == (True, 200)
    assert json.loads(assembly.body()) == {
        "id": "",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
        ],
        "usage": {"prompt_tokens": 3},
    }


def test_an_error_in_the_stream_becomes_the_status_it_names() -> None:
    assembly = fed(chunk(delta={"content": "x"}), 'data: {"error": {"code": 503, "message": "slot died"}}')

    assert (assembly.is_done, assembly.status()) == (False, 503)
    assert json.loads(assembly.body()) == {"error": {"code": 503, "message": "slot died"}}


def test_a_line_that_is_no_chunk_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid JSON"):
        fed("data: <html>")


def test_a_request_is_changed_to_ask_for_a_stream_and_nothing_else() -> None:
    assert json.loads(streamed(b'{"model": "m", "seed": 0}')) == {
        "model": "m",
        "seed": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
