"""Input schemas that servers publish: each can be shown, and each is held against what a model gives."""

from __future__ import annotations

import json
import time
from typing import cast

import pytest
from pydantic import JsonValue

from swarm.hub.tools.schema import Arguments, BadSchema, Schema, Trimmer

STRING: Schema = {"type": "string"}
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_4 = "http://json-schema.org/draft-04/schema#"


def of(properties: object, required: object = None, **more: object) -> Schema:
    """An object's schema; ``required`` names what must be there."""
    needed = {} if required is None else {"required": required}
    return cast("Schema", {"type": "object", "properties": properties, **needed, **more})


def shown(part: JsonValue, required: bool = False, **more: JsonValue) -> JsonValue:
    """What a model is shown of a parameter."""
    trimmed = Trimmer(of({"a": part}, ["a"] if required else None, **more)).trimmed()
    properties = trimmed["properties"]
    assert isinstance(properties, dict)
    return properties.get("a", "nothing")


@pytest.mark.parametrize(
    ("part", "is_shown_as"),
    [
        (True, {}),
        (False, "nothing"),
        ({"items": True}, {"items": True}),
        ({"enum": []}, {}),
        ({"anyOf": [True, STRING]}, {"anyOf": [{}, STRING]}),
    ],
)
def test_schemas_that_are_true_or_false_or_have_no_choices_can_be_shown(
    part: JsonValue, is_shown_as: JsonValue
) -> None:
    assert shown(part) == is_shown_as


@pytest.mark.parametrize(
    ("schema", "args"),
    [
        (of({}, additionalProperties=True), {"x": 1}),
        (of({}, additionalProperties={}), {"x": 1}),
        (of({}, additionalProperties={"type": "string"}), {"COLOR": "red"}),
        ({"type": "object"}, {"x": 1}),
        (of({"a": STRING}, additionalProperties=True), {"x": 1}),
        ({"type": "object", "patternProperties": {"^x-": STRING}}, {"x-a": "b"}),
        (
            {"type": "object", "anyOf": [of({"a": STRING}), of({"b": STRING}, additionalProperties=True)]},
            {"c": 1},
        ),
    ],
)
def test_what_a_schema_leaves_open_stays_open(schema: Schema, args: dict[str, JsonValue]) -> None:
    assert Arguments(schema).problem(args) == ""


def test_names_are_held_against_a_schema_that_names_its_own() -> None:
    assert Arguments(of({})).problem({"x": 1}) == "unknown argument 'x'; it takes no arguments"
    assert (
        Arguments(of({"path": STRING})).problem({"pth": "a"})
        == "unknown argument 'pth'; did you mean 'path'?"
    )


REFERENCES: list[tuple[str, str, Schema]] = [
    ("a list by number", "#/properties/from/anyOf/1", {"properties": {"from": {"anyOf": [STRING, {"type": "integer"}]}}}),
    ("an escape of %XX", "#/definitions/List%3CItem%3E", {"definitions": {"List<Item>": {"type": "integer"}}}),
    ("a slash and a tilde", "#/$defs/a~1b~0c", {"$defs": {"a/b~c": {"type": "integer"}}}),
    ("an anchor", "#whole", {"$defs": {"x": {"$anchor": "whole", "type": "integer"}}}),
    ("the schema's own id", "https://host/s#/$defs/x", {"$id": "https://host/s", "$defs": {"x": {"type": "integer"}}}),
    ("one reference after another", "#/$defs/x", {"$defs": {"x": {"$ref": "#/$defs/y"}, "y": {"type": "integer"}}}),
    ("a tuple's place", "#/properties/t/items/0", {"properties": {"t": {"items": [{"type": "integer"}]}}, "$schema": DRAFT_7}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reference", "rest"), [one[1:] for one in REFERENCES], ids=[one[0] for one in REFERENCES]
)
def test_a_reference_leads_where_it_says(reference: str, rest: Schema) -> None:
    own = cast("Schema", rest.get("properties", {}))
    schema: Schema = {**rest, "type": "object", "properties": {**own, "a": {"$ref": reference}}}
    properties = Trimmer(schema).trimmed()["properties"]
    assert isinstance(properties, dict)
    assert properties["a"] == {"type": "integer"}
    assert Arguments(schema).problem({"a": 1}) == ""
    assert Arguments(schema).problem({"a": "x"}) == "argument 'a' must be integer, got \"x\""


@pytest.mark.parametrize(
    "schema",
    [
        of({"a": STRING, "children": {"type": "array", "items": {"$ref": "#"}}}),
        of({"a": {"$ref": "#/$defs/n"}}, **{"$defs": {"n": of({"next": {"$ref": "#/$defs/n"}})}}),
        of({"a": of({"b": {"$ref": "#/properties/a"}})}),
    ],
)
def test_a_schema_within_itself_is_shown_without_end_marks(schema: Schema) -> None:
    assert "$ref" not in json.dumps(Trimmer(schema).trimmed())
    assert Arguments(schema).problem({"a": 5}) != ""


def test_a_reference_into_nothing_is_named() -> None:
    with pytest.raises(BadSchema, match="refers to '#/properties/a/items', which is not in it"):
        Trimmer(of({"a": {"$ref": "#/properties/a/items"}})).trimmed()


def test_a_schema_that_grows_without_end_is_cut_where_it_is_deep() -> None:
    levels: Schema = {
        f"d{at}": of({name: {"$ref": f"#/$defs/d{at + 1}"} for name in "abcd"}) for at in range(12)
    }
    schema = of({"root": {"$ref": "#/$defs/d0"}}, **{"$defs": {**levels, "d12": STRING}})
    assert len(json.dumps(Trimmer(schema).trimmed())) < 200_000


@pytest.mark.parametrize(
    "part",
    [
        {"type": ["string", "null"]},
        {"anyOf": [STRING, {"type": "null"}]},
        {"oneOf": [STRING, {"const": None}]},
        {"enum": ["a", None]},
        {"type": "string", "nullable": True},
        {"type": "string", "enum": ["a"], "nullable": True},
    ],
)
def test_null_stays_where_the_parameter_is_required_and_goes_where_it_may_be_left_out(part: Schema) -> None:
    required = Arguments(of({"a": part}, ["a"]))
    assert required.problem({"a": None}) == required.problem({"a": "a"}) == ""
    assert "null" in json.dumps(shown(part, required=True))
    assert "null" not in json.dumps(shown(part))
    assert Arguments(of({"a": part})).problem({"a": "a"}) == ""


@pytest.mark.parametrize(
    "tuple_schema",
    [
        {"$schema": DRAFT_7, **of({"p": {"type": "array", "items": [{"type": "integer"}, STRING], "additionalItems": False}})},
        of({"p": {"type": "array", "items": [{"type": "integer"}, STRING], "additionalItems": False}}),
        of({"p": {"type": "array", "prefixItems": [{"type": "integer"}, STRING], "items": False}}),
        {"$schema": DRAFT_4, **of({"p": {"items": [{"type": "integer"}, STRING], "additionalItems": False}})},
    ],
)  # fmt: skip
def test_a_tuple_is_one_in_every_dialect(tuple_schema: Schema) -> None:
    arguments = Arguments(tuple_schema)
    assert arguments.problem({"p": [1, "a"]}) == ""
    assert arguments.problem({"p": ["a", 1]})
    assert arguments.problem({"p": [1, "a", 2]})


@pytest.mark.parametrize("dialect", [DRAFT_4, DRAFT_7])
def test_bounds_are_read_in_the_dialect_that_is_named(dialect: str) -> None:
    older: Schema = (
        {"minimum": 0, "exclusiveMinimum": True} if dialect == DRAFT_4 else {"exclusiveMinimum": 0}
    )
    arguments = Arguments({"$schema": dialect, **of({"n": {"type": "integer", **older}})})
    assert arguments.problem({"n": 1}) == ""
    assert arguments.problem({"n": 0})


@pytest.mark.parametrize(
    ("pattern", "fits", "breaks"),
    [
        (r"^[\p{L}\p{N} ]+$", "Überall 7", "a;b"),
        (r"^(?<year>\d{4})-\d{2}$", "2026-01", "26-1"),
        (r"^\p{Lu}", "Äpfel", "apfel"),
        (r"^[\w-]+\/[\w-]+$", "a/b", "ab"),
    ],
)
def test_patterns_of_ecmascript_are_checked(pattern: str, fits: str, breaks: str) -> None:
    arguments = Arguments(of({"a": {"type": "string", "pattern": pattern}}))
    assert arguments.problem({"a": fits}) == ""
    assert "does not match" in arguments.problem({"a": breaks})


@pytest.mark.parametrize(
    "pattern", [r"^\u{1F600}$", "[", "(?<a", "^(?{code})$", "x" * 9_000, r"\p{Nonsense}"]
)
def test_a_pattern_that_cannot_be_checked_here_is_passed_over(pattern: str) -> None:
    assert Arguments(of({"a": {"type": "string", "pattern": pattern}})).problem({"a": "b"}) == ""
    in_names: Schema = {
        "type": "object",
        "patternProperties": {pattern: {"type": "integer"}},
        "additionalProperties": False,
    }
    assert Arguments(in_names).problem({"a": "b"}) == ""


@pytest.mark.parametrize("pattern", [r"^(a|aa)+$", r"^(\w+\s?)*$", r"^([a-z]+)*!$"])
def test_a_pattern_that_tries_without_end_is_cut_off_once(pattern: str) -> None:
    arguments = Arguments(of({"a": {"type": "string", "pattern": pattern}, "b": {"type": "integer"}}))
    args: dict[str, JsonValue] = {"a": "a" * 5_000 + "#", "b": "x"}
    began = time.process_time()
    for _ in range(20):
        # Whether it was found out or cut off, what else is wrong is told.
        assert "argument 'b' must be integer" in arguments.problem(args)
    assert time.process_time() - began < 5  # a match without an end would take longer than the test may


@pytest.mark.parametrize(
    ("schema", "args"),
    [
        (of([]), {}),
        (of({"a": STRING}, "a"), {"a": "x"}),
        ({**of({"a": STRING}), "required": None}, {"a": "x"}),
        (of({"a": None, "b": "string"}), {"a": 1}),
        (of({"a": {"type": "any"}}), {"a": 1}),
        (of({"a": {"type": "int"}}), {"a": 1}),
        (of({"a": {"type": "string", "enum": "x"}}), {"a": "y"}),
        (of({"a": {"type": "string", "minLength": "2"}}), {"a": "y"}),
        (of({"a": {"type": "string", "description": 5}}), {"a": "y"}),
        ({"type": "object", "properties": {"a": STRING}, "$defs": []}, {"a": "x"}),
    ],
)
def test_what_is_malformed_in_a_schema_is_passed_over_by_itself(
    schema: Schema, args: dict[str, JsonValue]
) -> None:
    assert Arguments(schema).problem(args) == ""
    assert Trimmer(schema).trimmed()["type"] == "object"


BRANCHES: list[tuple[Schema, dict[str, JsonValue], dict[str, JsonValue]]] = [
    ({"type": "object", "anyOf": [of({"code": STRING}, ["code"]), of({"label": STRING}, ["label"])]}, {"code": "K7"}, {"cod": "K7"}),
    ({"type": "object", "oneOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": of({"a": STRING})}}, {"a": "b"}, {"b": "b"}),
    ({"type": "object", "allOf": [of({"a": STRING}), of({"b": STRING})]}, {"a": "x", "b": "y"}, {"c": "x"}),
    (of({"a": STRING, "b": STRING}, anyOf=[{"required": ["a"]}, {"required": ["b"]}]), {"b": "x"}, {}),
    (of({"k": STRING}, **{"if": {"properties": {"k": {"const": "x"}}}, "then": of({"m": STRING}, ["m"])}), {"k": "x", "m": "y"}, {"k": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "fits", "breaks"), BRANCHES)
def test_the_properties_of_branches_are_known(
    schema: Schema, fits: dict[str, JsonValue], breaks: dict[str, JsonValue]
) -> None:
    assert Arguments(schema).problem(fits) == ""
    assert Arguments(schema).problem(breaks)


def test_what_is_required_is_shown_though_it_is_declared_nowhere() -> None:
    assert Trimmer(of({"a": STRING}, ["a", "b"])).trimmed()["properties"] == {"a": STRING, "b": {}}
