"""Says in one sentence what pydantic found wrong in a file that a person wrote."""

from __future__ import annotations

from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from swarm.errors import listed, quoted, shortened

MOST_NAMED = 3
"""Findings that are named; the first ones almost always cause the rest."""
MOST_SAID = 120
"""Characters of one finding."""
MOST_KNOWN = 12
"""Known names that are told where none is likely."""
LONGEST_NAME, MOST_COMPARED = 100, 1_000
"""Names that are looked at for a likely one: each is compared letter by letter."""


SECRET = frozenset({"env", "headers", "url", "api_key", "args"})
"""Keys whose values are never shown."""

_LIST = "give a list: ['one', 'two']"
_PLAIN = {"tuple_type": _LIST, "list_type": _LIST, "dict_type": "give a table of names and values"}
"""What to write, where the words of the library name Python's types."""


def problems(error: ValidationError, model: type[BaseModel]) -> str:
    """The findings as ``key: what is wrong``, the first three of them."""
    found = error.errors(include_url=False)
    said: list[str] = []
    for finding in found[:MOST_NAMED]:
        place = _place(finding["loc"])
        if finding["type"] == "extra_forbidden":
            said.append(_unknown(place, fields_at(model, finding["loc"][:-1])))
        elif finding["type"] == "missing":
            said.append(f"{place} is missing; add it")
        else:
            words = shortened(_PLAIN.get(finding["type"], finding["msg"]), MOST_SAID)
            said.append(f"{place}: {words}{_got(finding)}".removeprefix(": "))
    if len(found) > MOST_NAMED:
        said.append(f"and {len(found) - MOST_NAMED} more")
    return "; ".join(said)


def _got(finding: ErrorDetails) -> str:
    """What stands there instead; not of a place where keys and passwords stand, nor of all that a table holds."""
    value, place = finding["input"], finding["loc"]
    is_secret = not SECRET.isdisjoint(str(part) for part in place)
    if is_secret or finding["type"] == "json_invalid" or isinstance(value, dict | list | tuple):
        return ""
    return f", got {quoted(value)}"


def first_problem(error: ValidationError) -> str:
    """The first finding: where, if not in the whole, and what."""
    first = error.errors(include_url=False)[0]
    place = _place(first["loc"])
    words = shortened(_PLAIN.get(first["type"], first["msg"]), MOST_SAID)
    return f"{place}: {words}" if place else words


def _place(loc: tuple[int | str, ...]) -> str:
    """Where in a file something stands; keys may be as long as what a person wrote."""
    return shortened(".".join(shortened(str(part), 40) for part in loc[:8]))


def near(name: str, known: list[str]) -> str:
    """What to do about an unknown name: the likeliest one, or all of them."""
    if len(name) <= LONGEST_NAME and (close := get_close_matches(name, known[:MOST_COMPARED], n=1)):
        return f"did you mean {quoted(close[0])}?"
    return f"known: {listed(sorted(known), MOST_KNOWN)}" if known else "there are none"


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
            held = [one for one in get_args(current) if one not in (type(None), ...)]
            current = held[-1] if held else None
    if isinstance(current, type) and issubclass(current, BaseModel):
        return list(current.model_fields)
    return []
