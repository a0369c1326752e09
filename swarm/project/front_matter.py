"""The front matter of a card: plain YAML, and nothing of YAML that a person does not mean."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import cast

import yaml
from pydantic import TypeAdapter, ValidationError

from swarm.errors import ProjectError, quoted, shortened
from swarm.project.folders import said

MOST_CHARS = 32_000
"""Size of a front matter: the parser reads some 50,000 characters a second on a busy machine."""
_MAPPING = TypeAdapter(dict[str, object])


class _OutOfPlace(yaml.MarkedYAMLError):
    """What is valid YAML and has no place in a card."""


class _Loader(yaml.SafeLoader):
    """Refuses repeated keys, anchors' aliases and tags, each of which can make a value nobody sees in the file."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = cast("Callable[[], yaml.Event]", getattr(self, "peek_event"))()  # noqa: B009  # it has no types
        if isinstance(event, yaml.AliasEvent):
            raise _OutOfPlace(problem="write the value itself, not an alias (*)", problem_mark=_mark(event))
        if getattr(event, "tag", None) is not None:
            raise _OutOfPlace(problem="write the value without a tag (!)", problem_mark=_mark(event))
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen if isinstance(key, yaml.ScalarNode) else False:
                raise _OutOfPlace(
                    problem=f"the key {quoted(key.value)} stands twice; keep one", problem_mark=_mark(key)
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def fields_of(path: Path, text: str) -> dict[str, object]:
    """The keys and values of a front matter.

    Raises:
        ProjectError: it is no YAML, no mapping, or holds what a card cannot; names the line.
    """
    if len(text) > MOST_CHARS:
        raise ProjectError(
            f"{said(path)}: the front matter has {len(text):,} characters, {MOST_CHARS:,} are the most; "
            "what the agent is to know goes below it"
        )
    try:
        return _MAPPING.validate_python(yaml.load(text, _Loader) or {})
    except _OutOfPlace as error:
        raise ProjectError(f"{said(path)}: {_place(error)}{error.problem}") from error
    except yaml.YAMLError as error:
        raise ProjectError(
            f"{said(path)}: {_place(error)}the front matter is no valid YAML; check its quoting"
        ) from error
    except ValidationError as error:
        raise ProjectError(f"{said(path)}: the front matter must be 'key: value' lines") from error
    except RecursionError as error:
        raise ProjectError(f"{said(path)}: the front matter is nested too deep; make it flatter") from error
    except ValueError as error:  # a date with month 13, a number of 6,000 digits
        why = shortened(str(error))
        raise ProjectError(
            f"{said(path)}: the front matter has a value that is none: {why}; quote it"
        ) from error


def _mark(found: yaml.Event | yaml.Node) -> yaml.Mark | None:
    return cast("yaml.Mark | None", found.start_mark)


def _place(error: yaml.YAMLError) -> str:
    # The mark counts from 0 below the first --- line, a person from 1 with it.
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    return f"line {mark.line + 2}: " if mark else ""
