"""What a model reads of its tools."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from swarm.agent.manual import MOST_CHARS, manual, signature
from swarm.hub.tools.schema import Trimmer
from swarm.nouns.tool import Tool

Schema = dict[str, JsonValue]
STRING: Schema = {"type": "string"}


def tool(properties: Schema, required: list[JsonValue] | None = None, **more: JsonValue) -> Tool:
    """A tool ``shelf.find`` whose published schema has these properties."""
    schema: Schema = {"type": "object", "properties": properties, "required": required or [], **more}
    return Tool(
        server="shelf", name="find", description="Finds items.", input_schema=Trimmer(schema).trimmed()
    )


def line(properties: Schema, required: list[JsonValue] | None = None, **more: JsonValue) -> str:
    """What stands between the name and the description."""
    said = signature(tool(properties, required, **more))
    assert said.endswith(" - Finds items.")
    return said.removesuffix(" - Finds items.")


def test_a_tool_is_one_line_of_a_prompt() -> None:
    read = tool({"path": STRING, "start": {"type": "integer"}}, ["path"])
    assert signature(read) == "shelf.find(path: string, start?: integer) - Finds items."
    assert manual([read], 8_192) == signature(read)


@pytest.mark.parametrize(
    ("about", "is_read_as"),
    [
        ({"enum": ["asc", "desc"]}, '"asc" | "desc"'),
        ({"type": "integer", "default": 50}, "integer = 50"),
        ({"type": "integer", "minimum": 1, "maximum": 5}, "integer 1..5"),
        ({"type": "array", "items": STRING}, "array of string"),
        ({"type": ["boolean", "string"]}, "boolean | string"),
        ({"anyOf": [{"type": "integer"}, STRING]}, "integer | string"),
        ({"type": "string", "format": "date"}, "string (date)"),
        ({"type": "object", "properties": {"x": STRING, "y": {"const": 1}}, "required": ["x"]}, "{x: string, y?: 1}"),
        ({"type": "object", "additionalProperties": STRING}, "{any name: string}"),
        ({"type": "array", "items": [STRING, {"type": "integer"}]}, "[string, integer]"),
        ({"enum": [f"choice {at}" for at in range(40)]}, " | ".join(f'"choice {at}"' for at in range(9)) + " | 31 more"),
        (True, "any"),
    ],
)  # fmt: skip
def test_choices_defaults_and_what_is_nested_are_read(about: JsonValue, is_read_as: str) -> None:
    assert line({"a": about}, ["a"]) == f"shelf.find(a: {is_read_as})"


def test_alternatives_and_open_objects_are_read() -> None:
    ways: list[JsonValue] = [
        {"properties": {"code": STRING}, "required": ["code"]},
        {"properties": {"label": STRING}, "required": ["label"]},
    ]
    assert line({}, anyOf=ways) == "shelf.find(code: string) or shelf.find(label: string)"
    assert line({}, additionalProperties=True) == "shelf.find(any name: any)"
    assert line({"a": STRING}, additionalProperties=True) == "shelf.find(a?: string, any other name: any)"


def test_what_a_name_does_not_give_away_is_explained_below_the_tool() -> None:
    find = tool({
        "path": {"type": "string", "description": "The path"},
        "unit": {"type": "string", "description": "Currency as three letters of ISO 4217"},
        "where": {
            "type": "object",
            "properties": {"p": {"type": "string", "description": "PostCSS selector"}},
        },
    })
    explained = manual([find.model_copy(update={"server_notes": "Ask once a second."})], 8_192).splitlines()
    assert explained[1:] == [
        "  unit: Currency as three letters of ISO 4217",
        "  where.p: PostCSS selector",
        "Notes of shelf: Ask once a second.",
    ]


def test_a_small_window_is_told_less_and_never_less_than_names_and_types() -> None:
    about: Schema = {"type": "string", "enum": ["a", "b"], "description": "Which of the two kinds " * 4}
    tools = [tool({f"kind{at}": about for at in range(5)})] * 4
    whole, terse, bare = manual(tools, 32_768), manual(tools, 1_450), manual(tools, 256)
    assert "two kinds" in whole
    assert "two kinds" not in terse
    assert '"a" | "b"' in terse
    assert bare == "\n".join([signature(tools[0], 0)] * 4)
    assert "kind4?: string" in bare
    assert len(whole) <= MOST_CHARS


def test_where_not_all_can_be_told_of_all_it_is_of_the_tools_that_are_nearest() -> None:
    about: Schema = {"when": {"type": "string", "description": "Format: YYYY-MM-DD HH:MM:SS"}}
    words = "Makes an event. Returns: the id, e.g. 7. " + "More of what it says. " * 20
    tools = [tool(about).model_copy(update={"name": f"n{at}", "description": words}) for at in range(4)]
    short, when = "(when?: string) - Makes an event.", "  when: Format: YYYY-MM-DD HH:MM:SS"
    assert manual(tools, 280, [tools[2], tools[0]]).splitlines() == [
        f"shelf.n0{short}",
        f"shelf.n1{short}",
        f"shelf.n2{short}",
        when,
        f"shelf.n3{short}",
    ]
    assert manual(tools, 1_200, [tools[2], tools[0]]).splitlines() == [
        f"shelf.n0{short}",
        when,
        f"shelf.n1{short}",
        when,
        signature(tools[2]),
        when,
        f"shelf.n3{short}",
        when,
    ]


@pytest.mark.parametrize(
    ("description", "short"),
    [
        ("Finds an item by its name, e.g. Lamp. Gives rows.", "Finds an item by its name, e.g. Lamp."),
        ("Asks J. Smith! Then waits.", "Asks J. Smith!"),
        ("Reads version 1.5 of it", "Reads version 1.5 of it"),
        ("word " * 60 + "end. More.", "word " * 38 + "word…"),
    ],
)
def test_of_a_long_description_the_first_sentence_is_kept(description: str, short: str) -> None:
    shown = signature(tool({}).model_copy(update={"description": description}), 0)
    assert shown.endswith(f" - {short}")


def test_a_name_with_control_characters_makes_no_line_of_its_own() -> None:
    assert line({"a\nYour step: b": STRING}) == r'shelf.find("a\nYour step: b"?: string)'
