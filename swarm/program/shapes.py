"""What a value of a program is: several things, a dict, or one thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast


def items_of(value: object) -> list[object] | None:
    """What it gives one after the other; None for a text, a dict, bytes, and what gives nothing."""
    if isinstance(value, str | Mapping | bytes | bytearray) or not isinstance(value, Iterable):
        return None
    return [*cast("Iterable[object]", value)]


def dict_of(value: object) -> dict[object, object] | None:
    """The keys and values of a dict; None for anything else."""
    return dict(cast("Mapping[object, object]", value)) if isinstance(value, Mapping) else None


def dicts_of(items: Sequence[object]) -> list[dict[object, object]] | None:
    """The items as dicts; None where one is none."""
    found = [row for item in items if (row := dict_of(item)) is not None]
    return found if len(found) == len(items) else None


def lists_of(items: Sequence[object]) -> list[list[object]] | None:
    """The items as lists; None where one is neither a list nor a tuple."""
    found = [[*cast("Sequence[object]", item)] for item in items if isinstance(item, list | tuple)]
    return found if len(found) == len(items) else None
