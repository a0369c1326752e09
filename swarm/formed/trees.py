"""Configuration that is a tree (TOML, YAML, JSON) as names and values, each value as it is written."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

import yaml
from yaml.events import AliasEvent, MappingEndEvent, MappingStartEvent, SequenceEndEvent, SequenceStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Setting = tuple[str, str | None]
MOST_DEPTH = 64
MOST_SETTINGS = 100_000
"""Of one file: aliases of aliases give any number."""
MOST_ALIASES = 10_000
MOST_CHARACTERS = 1_000_000
"""Of a list that is one value."""
_PLAIN = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
"""What JSON writes without quotes."""
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Leaves scalars as they are: ``yes``, ``on``, ``017`` and dates are texts to whoever reads the file."""


class _Plain(str):
    """A number as it is written."""

    __slots__ = ()


@dataclass(frozen=True)
class _Pairs:
    """An object of JSON with its names, which may come twice."""

    pairs: list[tuple[str, object]]


def toml(text: str) -> Iterator[Setting]:
    """The settings of a TOML file."""
    yield from _flat("", tomllib.loads(text, parse_float=_Plain), 0)


def json_tree(text: str) -> Iterator[Setting]:
    """The settings of a JSON file."""
    tree = json.loads(
        text,
        object_pairs_hook=_Pairs,
        parse_float=_Plain,
        parse_int=_Plain,
        parse_constant=_Plain,
    )
    yield from _flat("", tree, 0)


def yaml_tree(text: str) -> Iterator[Setting]:
    """The settings of a YAML file; where it holds several documents, each has its number before its names."""
    _check(text)
    documents = [*yaml.compose_all(text, Loader=_LOADER)]
    for number, node in enumerate(documents):
        yield from _Document().settings(f"[{number}]" if len(documents) > 1 else "", node, 0)


READERS: Mapping[str, Callable[[str], Iterator[Setting]]] = {
    ".toml": toml,
    ".yaml": yaml_tree,
    ".yml": yaml_tree,
    ".json": json_tree,
}
FAILURES = (ValueError, yaml.YAMLError, RecursionError)
"""What they raise where a file is of another form."""


def _join(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def _flat(name: str, value: object, depth: int) -> Iterator[Setting]:
    """A value of a nested form under its whole name."""
    if depth > MOST_DEPTH:
        raise ValueError(f"it is nested more than {MOST_DEPTH} deep")
    if isinstance(value, _Pairs | dict):
        pairs = value.pairs if isinstance(value, _Pairs) else [*cast("dict[str, object]", value).items()]
        if not pairs:
            yield name, "{}"
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError(f"a name stands twice in {name[:60] or 'it'!r}")
        for key, inner in pairs:
            yield from _flat(_join(name, key), inner, depth + 1)
    elif isinstance(value, list):
        items = cast("list[object]", value)
        if not any(isinstance(one, dict | list | _Pairs) for one in items):
            yield name, f"[{', '.join(map(_literal, items))}]"
            return
        for number, inner in enumerate(items):
            yield from _flat(f"{name}[{number}]", inner, depth + 1)
    elif value is None or isinstance(value, str):
        yield name, value
    else:
        yield name, _literal(value)


def _literal(value: object) -> str:
    """A value as JSON writes it; numbers as the file does."""
    if isinstance(value, _Plain):
        return str(value)
    return str(value) if hasattr(value, "isoformat") else json.dumps(value, ensure_ascii=False, default=str)


def _check(text: str) -> None:
    """Lets pass what can be composed: the depth is told without going into it.

    Raises:
        ValueError: it is nested too deep, or has too many aliases.
    """
    depth = aliases = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, MappingStartEvent | SequenceStartEvent)
        depth -= isinstance(event, MappingEndEvent | SequenceEndEvent)
        aliases += isinstance(event, AliasEvent)
        if depth > MOST_DEPTH or aliases > MOST_ALIASES:
            raise ValueError(
                f"it is nested more than {MOST_DEPTH} deep, or has over {MOST_ALIASES:,} aliases"
            )


@dataclass
class _Document:
    """A document of YAML; what its mappings merge in is looked up once for each."""

    known: dict[int, list[tuple[str, Node]]] = field(default_factory=dict[int, list[tuple[str, Node]]])

    def settings(self, name: str, node: Node, depth: int) -> Iterator[Setting]:
        """The settings below a node."""
        if depth > MOST_DEPTH:  # An anchor may hold an alias of itself.
            raise ValueError(f"it is nested more than {MOST_DEPTH} deep")
        if isinstance(node, ScalarNode):
            yield name, _scalar(node)
        elif isinstance(node, MappingNode):
            if not node.value:
                yield name, "{}"
            for key, inner in self.pairs(node, 0):
                yield from self.settings(_join(name, key), inner, depth + 1)
        elif isinstance(node, SequenceNode) and any(not isinstance(one, ScalarNode) for one in node.value):
            for number, inner in enumerate(node.value):
                yield from self.settings(f"{name}[{number}]", inner, depth + 1)
        else:
            yield name, _listed(node)

    def pairs(self, node: MappingNode, depth: int) -> list[tuple[str, Node]]:
        """The names and values of a mapping, with those that it merges in (``<<``) where it has none of its own.

        Raises:
            ValueError: a name stands twice, is none, or merges go too deep.
        """
        if depth > MOST_DEPTH:
            raise ValueError(f"its merges are nested more than {MOST_DEPTH} deep")
        if id(node) in self.known:
            return self.known[id(node)]
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise ValueError("a name in it is no text")
            if key.value == "<<" and not key.style:
                for base in _bases(value):
                    for name, inner in self.pairs(base, depth + 1):
                        merged.setdefault(name, inner)
            elif key.value in own:
                raise ValueError(f"the name {key.value[:60]!r} stands twice in it")
            else:
                own[str(key.value)] = value
        self.known[id(node)] = [*{**merged, **own}.items()]
        return self.known[id(node)]


def _listed(node: Node) -> str:
    if sum(len(one.value) for one in node.value) > MOST_CHARACTERS:
        raise ValueError(f"a list in it has over {MOST_CHARACTERS:,} characters")
    return f"[{', '.join(_item(one) for one in node.value)}]"


def _scalar(node: ScalarNode) -> str | None:
    text = str(node.value)
    return None if not node.style and text in {"", "~", "null", "Null", "NULL"} else text


def _item(node: ScalarNode) -> str:
    text = str(node.value)
    if not node.style and _PLAIN.fullmatch(text):
        return text
    return "null" if _scalar(node) is None else json.dumps(text, ensure_ascii=False)


def _bases(value: Node) -> list[MappingNode]:
    bases: list[Node] = value.value if isinstance(value, SequenceNode) else [value]
    found = [one for one in bases if isinstance(one, MappingNode)]
    if len(found) < len(bases):
        raise ValueError("it merges what is no mapping")
    return found
