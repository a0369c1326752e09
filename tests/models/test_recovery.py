"""What is made of malformed replies: the corpus, and the rules one by one."""

from __future__ import annotations

from collections import Counter

import pytest
from pydantic import JsonValue

from benchmarks.recovery import (
    FAILURE,
    LEAST_RECOVERED,
    LEAST_REPLIES,
    Case,
    cases,
    invented_from_beginnings,
    judged,
)
from swarm.errors import MalformedReply
from swarm.nouns.tool import Tool
from swarm.replies.fitting import fitted
from swarm.replies.lenient import Unreadable, ValueReader
from swarm.replies.recovery import recovered

CORPUS = cases()
READ = Tool(
    server="files",
    name="read",
    description="Text of a file.",
    input_schema={"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
)


def test_the_corpus_is_large_names_its_sources_and_holds_what_must_not_become_a_call() -> None:
    assert len(CORPUS) >= LEAST_REPLIES
    assert sum(case.expected == FAILURE for case in CORPUS) >= 40
    assert all("/" in case.source and "#" in case.source for case in CORPUS)
    assert len({case.dialect for case in CORPUS}) >= 15


def test_replies_become_the_turn_that_was_meant() -> None:
    verdicts = Counter(judged(case) for case in CORPUS if case.expected != FAILURE)
    assert verdicts["recovered"] >= LEAST_RECOVERED * verdicts.total()


@pytest.mark.parametrize(
    "case", [case for case in CORPUS if case.expected == FAILURE], ids=lambda case: case.source
)
def test_no_call_is_made_of_what_is_none(case: Case) -> None:
    assert judged(case) == "failed"


def test_no_reply_becomes_another_turn_than_was_meant() -> None:
    assert [case.text for case in CORPUS if judged(case) in ("wrong", "invented")] == []


def test_a_reply_that_is_cut_off_anywhere_never_becomes_another_call() -> None:
    # Two of each dialect; the proof tries all.
    seen: Counter[str] = Counter()
    for case in CORPUS:
        if case.expected != FAILURE and (seen.update([case.dialect]) or seen[case.dialect] <= 2):
            assert list(invented_from_beginnings(case)) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("I have read it.", "the reply has no JSON object"),
        (
            '{"tool": "files.remove", "args": {}}',
            "there is no tool 'files.remove'; the tools are: files.read",
        ),
        (
            'For example {"tool": "files.read", "args": {"path": "a"}}',
            "the tool call is only mentioned: reply with the call alone, or with the result",
        ),
        (
            '{"tool": "files.read", "args": {"path": "a"}} {"result": 1}',
            "there are a tool call and a result: reply with the one to do now",
        ),
        (
            'I read it. {"tool": "files.read", "args": {"path": "a"}} or {"tool": "files.read", "args": {"path": "b"}}',
            "there are several calls to choose from: reply with one",
        ),
        (
            '{"tool": "files.read", "args": {"path": "a',
            "the call can't be read: a text has no closing quote: the reply was cut off, or a quote in it needs \\",
        ),
        (
            '{"tool": "files.read", "args": {"path": "C:\\new\\dir"}}',
            "the call can't be read: \\d is no escape of JSON: write each backslash of a text as \\\\",
        ),
        (
            "files.read has to be called: <function=files.read><parameter=path>a</parameter>",
            "the call can't be read: </function> is missing",
        ),
    ],
)
def test_a_failure_tells_the_model_what_to_do(text: str, why: str) -> None:
    with pytest.raises(MalformedReply) as caught:
        recovered(text, [READ], lambda _: False)
    assert (str(caught.value), caught.value.reply) == (why, text)


@pytest.mark.parametrize(
    "text",
    [
        "<function=files.read><parameter=path>a</function>b</parameter></function>",
        '<invoke name="files.read"><parameter name="path"><parameter>x</parameter></parameter></invoke>',
        '{"tool": "files.read", "args": {"path": "say "x"}}',
        '{"tool": "files.read", "description": "Text of a file.", "args": {"type": "object", "properties": {}}}',
        '{"name": "files.read", "parameters": {"type": "object", "properties": {"path": {"type": "string"}}}}',
        '<!-- {"tool": "files.read", "args": {"path": "a"}} -->',
        'Shall I call this? {"tool": "files.read", "args": {"path": "a"}}',
        'I could: {"tool": "files.read", "args": {"path": "a"}}?',
        '{"tool": "files.read", "args": {"path": "a"}}\nWait, that is the wrong file.',
        '{"tool": ..., "args": {...}}',
        '{"tool": "files.read", "args": {"path": "one" + "two"}}',
        'files.read(path="one"\n    "two")',
        '{"result": ' + "9" * 5_000 + "}",
        "[" * 2_000,
    ],
)
def test_what_has_two_meanings_or_is_not_meant_is_refused(text: str) -> None:
    with pytest.raises(MalformedReply):
        recovered(text, [READ], lambda _: False)


@pytest.mark.parametrize(
    ("text", "result"),
    [('{"result": null}', None), ('{"result": ""}', ""), ('{"result": "so \\ud83d"}', "so \ufffd")],
)
def test_a_result_is_read_whatever_it_is(text: str, result: JsonValue) -> None:
    assert recovered(text, [READ], lambda _: False) == {"result": result}


def test_what_a_model_writes_behind_the_end_of_its_turn_does_not_count() -> None:
    text = '{"tool": "files.read", "args": {"path": "a"}}<|im_end|>\n<|im_start|>user\n{"result": 1}'
    assert recovered(text, [READ], lambda _: False) == {"tool": "files.read", "args": {"path": "a"}}


def test_a_call_within_an_argument_is_text() -> None:
    inner = '<tool_call>{"name": "files.read", "arguments": {}}</tool_call>'
    text = f"<function=files.read><parameter=path>{inner}</parameter></function>"
    assert recovered(text, [READ], lambda _: False) == {"tool": "files.read", "args": {"path": inner}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 1,}", {"a": 1}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        ('{"a": "one\ntwo"}', {"a": "one\ntwo"}),
        ("[True, None, 1.5 ]", [True, None, 1.5]),
        ("{a: 'it's'}", {"a": "it's"}),
        ("{a: 'its' '}", None),
        ('{"a": 1', None),
        ("[" * 100 + "]" * 100, None),
        ("{a: b}", None),
    ],
)
def test_broken_json_is_read_where_it_has_one_meaning(text: str, value: JsonValue) -> None:
    try:
        assert ValueReader(text).value() == value
    except Unreadable:
        assert value is None


@pytest.mark.parametrize(
    ("value", "schema", "meant"),
    [
        ("12", {"type": "integer"}, 12),
        ("012", {"type": "integer"}, "012"),
        (12.0, {"type": "integer"}, 12),
        (12.5, {"type": "integer"}, 12.5),
        (12, {"type": "string"}, "12"),
        (1.10, {"type": "string"}, 1.10),
        (True, {"type": "string"}, True),
        ("true", {"type": "string"}, "true"),
        ("true", {"type": "boolean"}, True),
        (1, {"type": "boolean"}, 1),
        ("a", {"type": "array", "items": {"type": "string"}}, ["a"]),
        ('["a"]', {"type": "array", "items": {"type": "string"}}, ["a"]),
        (["a"], {"type": "string"}, "a"),
        (["a", "b"], {"type": "string"}, ["a", "b"]),
        ("5", {"anyOf": [{"type": "integer"}, {"type": "boolean"}]}, 5),
        ("5", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "5"),
        ({"n": None}, {"type": "object", "properties": {"n": {"type": "integer"}}}, {}),
        (
            {"n": None},
            {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
            {"n": None},
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_changed_only_where_nothing_is_lost(
    value: JsonValue, schema: dict[str, JsonValue], meant: JsonValue
) -> None:
    assert repr(fitted(value, schema)) == repr(meant)
