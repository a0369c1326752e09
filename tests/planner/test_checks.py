"""What ``plan check`` refuses: schemas that never end, files that cannot be, and how long it takes."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from swarm.errors import PlanError
from swarm.nouns.card import AgentCard
from swarm.nouns.plan import Plan, Step
from swarm.planner.check import problems
from swarm.planner.expects import MOST_DEEP, schema_problem

CARDS = {"clerk": AgentCard(name="clerk", description="Does one thing.")}
Schema = dict[str, JsonValue]


def doubling(levels: int) -> Schema:
    parts: Schema = {}
    for level in range(levels):
        twice: list[JsonValue] = [{"$ref": f"#/$defs/a{level + 1}"}] * 2
        parts[f"a{level}"] = {"allOf": twice}
    return {"$ref": "#/$defs/a0", "$defs": {**parts, f"a{levels}": {"type": "string"}}}


def nested(depth: int) -> Schema:
    schema: Schema = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"$ref": "#/$defs/a"}, "refers to '#/$defs/a', which is not in it"),
        ({"$ref": "#"}, "refers to itself without end"),
        ({"anyOf": [{"$ref": "#"}]}, "refers to itself without end"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}, "to itself"),
        ({"$ref": "https://example.org/a"}, "refers to 'https://example.org/a', outside the plan"),
        ({"$ref": "other.json#/a"}, "outside the plan"),
        ({"type": "array", "items": {"$ref": "#/items/properties/x"}}, "which is not in it"),
        ({"$dynamicRef": "#a"}, "names '#a', which only a schema of its own can"),
        (doubling(11), "has more than 2,000 parts"),
        (nested(MOST_DEEP + 1), "nests deeper than 32"),
        ({"enum": [f"value {n}" for n in range(3_000)]}, "is longer than 20,000 characters"),
        ({"type": "objekt"}, "is no JSON Schema"),
    ],
)
def test_a_schema_that_no_result_can_be_checked_under_is_refused(schema: Schema, why: str) -> None:
    assert why in schema_problem(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}},
        {"$ref": "#/$defs/a%20b", "$defs": {"a%20b": {"type": "string"}}},
        {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "string"}}},
        {"type": "object", "properties": {"$ref": {"type": "string"}}},
        doubling(3),
        nested(8),
    ],
)
def test_a_schema_that_ends_is_taken(schema: Schema) -> None:
    assert schema_problem(schema) == ""


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("a\0b.csv", "holds a character that no name"),
        ("a\nb.csv", "holds a character that no name"),
        ("\x1b[2J.csv", "holds a character that no name"),
        ("a" * 256, "is too long"),
        ("ab/" * 400 + "c", "is too long"),
        ("/etc/x", "is outside the workspace"),
        ("a/../../x", "is outside the workspace"),
        ("a/", "is no name of a file"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused(path: str, why: str) -> None:
    plan = Plan(steps=(Step(id="a", agent="clerk", brief="Do it.", writes=path),))
    (problem,) = problems(plan, CARDS)
    assert why in problem
    assert len(problem) < 250


def test_names_in_any_script_may_be_written() -> None:
    plan = Plan(steps=(Step(id="a", agent="clerk", brief="Do it.", writes="résumé/報告 [1].md"),))
    assert problems(plan, CARDS) == []


def test_ten_thousand_steps_in_a_chain_are_checked_once_each() -> None:
    seen = 0

    class Counting(str):
        def __eq__(self, other: object) -> bool:
            nonlocal seen
            seen += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    first = Step(id="s0", agent="clerk", brief="Do it.")
    rest = [
        first.model_copy(update={"id": Counting(f"s{n}"), "needs": (f"s{n - 1}",)}) for n in range(1, 10_000)
    ]
    assert problems(Plan.model_construct(steps=(first, *rest)), CARDS) == []
    assert seen < 200_000


def test_a_plan_with_3000_unknown_needs_names_five_problems_and_counts_the_rest() -> None:
    needs = tuple(f"b{number}" for number in range(3_000))
    plan = Plan(steps=(Step(id="a", agent="clerk", brief="Do it.", needs=needs),))
    with pytest.raises(PlanError) as caught:
        plan.check()
    assert len(caught.value.problems) == 3_000
    assert str(caught.value).endswith("needs 'b4', which is no step; and 2995 more")
