"""Says in one sentence what pydantic found wrong in a file that a person wrote."""

from __future__ import annotations

from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel, ValidationError

MOST_NAMED = 3
"""Findings that are named; the first ones almost always cause the rest."""


SECRET = frozenset({"env", "headers", "url", "api_key", "args"})
"""Keys whose values are never shown."""


def problems(error: ValidationError, model: type[BaseModel]) -> str:
    """The findings as ``key: what is wrong``, the first three of them."""
    found = error.errors(include_url=False)
    said: list[str] = []
    for finding in found[:MOST_NAMED]:
        place = ".".join(str(part) for part in finding["loc"])
        if finding["type"] == "extra_forbidden":
            said.append(_unknown(place, fields_at(model, finding["loc"][:-1])))
        elif finding["type"] == "missing":
            said.append(f"{place} is missing; add it")
        else:
            said.append(f"{place}: {finding['msg']}{_got(finding['loc'], finding['input'])}")
    if len(found) > MOST_NAMED:
        said.append(f"and {len(found) - MOST_NAMED} more")
    return "; ".join(said)


def _got(place: tuple[int | str, ...], value: object) -> str:
    """What stands there instead; not of a place where keys and passwords stand, nor of all that a table holds."""
    if SECRET.intersection(str(part) for part in place) or isinstance(value, dict | list | tuple):
        return ""
    return f", got {value!r}"


def first_problem(error: ValidationError) -> str:
    """The first finding: where, if not in the whole, and what."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def near(name: str, known: list[str]) -> str:
    """What to do about an unknown name: the likeliest one, or all of them."""
    if close := get_close_matches(name, known, n=1):
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(sorted(known))}" if known else "there are none"


def _unknown(place: str, known: list[str]) -> str:
    return f"{place} is no known key; {near(place.rpartition('.')[2], known)}"


def fields_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """The keys that are known at a place of a model; empty where it is no model."""
    current: object = model
    for part in place:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = field.annotation if field else None
        else:
            current = get_args(current)[-1] if get_args(current) else None
    if isinstance(current, type) and issubclass(current, BaseModel):
        return list(current.model_fields)
    return []
