"""What a call would act on that stands nowhere: ids and e-mail addresses that a model made up.

A small model that was to look an id up writes the one of an example as readily. A call that changes something
then changes the wrong thing, and what its tool says of it reads like success. So of such a call each reference
must have been given or read. Dates, amounts and words are not looked up: they may well be reckoned or worded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import JsonValue

from swarm.agent.grounding import leaves
from swarm.nouns.tool import Row, Tool

_CAMEL = re.compile(r"(?<=[a-z])(?=I[dD]s?$)")
_ID = re.compile(r"(?:^|[_-])(?:id|ids|uuid|guid)$", re.IGNORECASE)
_NUMBERED = re.compile(r"\[\d+\]$")
_MAKES = re.compile(r"^(?:create|add|insert|new|make|register|upsert)(?=[_A-Z\d-]|$)")
"""How tools are called that bring something into being: the id of that may be the caller's choice."""
_ADDRESS = r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\".]+"
_ONE = rf"(?:[^<>@,;]*<{_ADDRESS}>|{_ADDRESS})"
_ADDRESSES = re.compile(rf"\s*{_ONE}(?:\s*[,;]\s*{_ONE})*\s*")
LONGEST = 1_000
"""Characters of a list of addresses; a longer text is no such list."""
MOST_TOLD, LONGEST_TOLD = 3, 80


class Vouched:
    """The texts and tables that a value may be from."""

    def __init__(self, texts: Iterable[str], tables: Iterable[Sequence[Row]] = ()) -> None:
        self._texts = tuple(texts)
        self._tables = tuple(tables)

    def has(self, value: str) -> bool:
        """Whether it stands there as a whole, in letters of any size."""
        before = r"(?<![\w.+@-])" if "@" in value else r"(?<![\w.+@])(?<!\d-)"
        whole = re.compile(rf"{before}{re.escape(value)}(?![\w@-]|\.\w)", re.IGNORECASE)
        if any(whole.search(text) for text in self._texts):
            return True
        cells = (str(cell) for table in self._tables for row in table for cell in row.values())
        return any(whole.search(cell) for cell in cells)


def invented(args: Mapping[str, JsonValue], tool: Tool, known: Vouched) -> list[str]:
    """The references of a call that stand nowhere, each as ``name 'value'``; none for a tool that only reads."""
    if tool.effect == "pure":
        return []
    found = dict.fromkeys(
        f"{name} {value[:LONGEST_TOLD]!r}" for name, value in _references(args, tool) if not known.has(value)
    )
    return list(found)[:MOST_TOLD]


def _references(args: Mapping[str, JsonValue], tool: Tool) -> Iterator[tuple[str, str]]:
    """The ids and addresses of a call, with the names of their parameters."""
    for leaf in leaves(dict(args), tool.input_schema):
        if leaf.is_judged or not isinstance(leaf.value, str | int):
            continue
        name, value = _NUMBERED.sub("", leaf.place).rpartition(".")[2], str(leaf.value).strip()
        if len(value) <= LONGEST and "@" in value and _ADDRESSES.fullmatch(value):
            yield from ((name, address) for address in re.findall(_ADDRESS, value))
        elif _refers(name, tool) and any(sign.isdigit() for sign in value) and leaf.value != 0:
            yield name, value


def _refers(name: str, tool: Tool) -> bool:
    """Whether a parameter is called an id (``id``, ``event_id``, ``eventId``), and not that of what the tool makes."""
    name = _CAMEL.sub("_", name)
    whose = name[: found.start()].casefold() if (found := _ID.search(name)) else None
    return whose is not None and not (_MAKES.match(tool.name) and whose in tool.name.casefold())
