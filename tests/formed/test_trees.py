"""TOML, YAML and JSON as settings: each value as the file has it."""

from __future__ import annotations

import pytest

from swarm.formed.trees import FAILURES, json_tree, toml, yaml_tree

YAML = """
on: yes
country: NO
mode: 0755
day: 2026-09-09
version: 1.10
none: ~
empty:
quoted: ''
list: [80, a, 'x', true]
nothing: {}
base: &base {x: 1, y: 2}
use:
  <<: *base
  y: 3
items:
- name: a
- name: b
tagged: !Ref foo
"""


def test_yaml_keeps_words_octals_dates_and_versions_as_they_are_written() -> None:
    assert dict(yaml_tree(YAML)) == {
        "on": "yes",
        "country": "NO",
        "mode": "0755",
        "day": "2026-09-09",
        "version": "1.10",
        "none": None,
        "empty": None,
        "quoted": "",
        "list": '[80, "a", "x", true]',
        "nothing": "{}",
        "base.x": "1",
        "base.y": "2",
        "use.x": "1",
        "use.y": "3",
        "items[0].name": "a",
        "items[1].name": "b",
        "tagged": "foo",
    }


def test_several_documents_have_their_numbers() -> None:
    assert [*yaml_tree("kind: A\n---\nkind: B\n")] == [("[0].kind", "A"), ("[1].kind", "B")]


def test_toml_and_json_keep_numbers_and_dates_as_they_are_written() -> None:
    assert [*toml("d = 2026-09-09\nf = 1.10\n[t.x]\ny = true\n[[a]]\nl = [1.50, 'x']\n")] == [
        ("d", "2026-09-09"),
        ("f", "1.10"),
        ("t.x.y", "true"),
        ("a[0].l", '[1.50, "x"]'),
    ]
    assert [*json_tree('{"a": 1.10, "b": {"c": null, "d": true}, "e": [], "f": {}}')] == [
        ("a", "1.10"),
        ("b.c", None),
        ("b.d", "true"),
        ("e", "[]"),
        ("f", "{}"),
    ]


@pytest.mark.parametrize(
    "text", ["a: 1\na: 2\n", "a: [1\nb: 2\n", "a: " + "[" * 80 + "]" * 80, "a: &a\n  b: *a\n", "? [x]\n: 1\n"]
)
def test_yaml_that_is_broken_says_a_name_twice_or_is_too_deep_is_none(text: str) -> None:
    with pytest.raises(FAILURES):
        _ = [*yaml_tree(text)]


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', '{"a": 1,}', "[" * 70 + "]" * 70, "{} // comment"])
def test_json_that_is_broken_says_a_name_twice_or_is_too_deep_is_none(text: str) -> None:
    with pytest.raises(FAILURES):
        _ = [*json_tree(text)]


def test_a_base_that_many_merge_is_looked_at_once() -> None:
    bases = ["b0: &b0 {x: 1}"]
    bases += [f"b{n}: &b{n}\n  <<: [*b{n - 1}, *b{n - 1}]" for n in range(1, 30)]

    assert dict(yaml_tree("\n".join(bases)))["b29.x"] == "1"
