"""Schemas and grammars that a server refused: found out once, told, and never sent again as they are."""

from __future__ import annotations

import hashlib
import json
import re

from pydantic import JsonValue

from swarm.models.grammars.guided import guided
from swarm.models.grammars.schemas import Schema, closed

SAYS_SO = re.compile(r"schema|grammar|guided|response_format|structured output", re.IGNORECASE)
"""How servers word that a schema is what they refuse: llama.cpp, vLLM, LM Studio and Ollama."""
_NO_GRAMMARS = re.compile(r"support|unknown|unrecogni[sz]ed|not (?:allowed|permitted)", re.IGNORECASE)
"""How a server words that it takes no grammar at all. llama.cpp's says of a single one that it can't read it
(``failed to parse grammar``), or that it led nowhere (``empty grammar stack``)."""
_PLACE = re.compile(r"#/anyOf/(\d+)")


class Refusals:
    """What one server refused so far."""

    def __init__(self) -> None:
        self._loose: dict[str, JsonValue] = {}
        """By a refused part of a schema, as JSON, what is sent in its place."""
        self.takes_none = False
        """Whether it refuses the loosest schema, too; then it is told what to say in words."""
        self._is_guided = True
        """Whether it is sent schemas as grammars, where it is one that reads those."""
        self._grammars: set[bytes] = set()
        """Hashes of the grammars that it can't hold a reply to."""
        self._takes_no_grammar = False

    def loosened(self, schema: Schema) -> Schema:
        """The schema with all that was refused left open; what it asks for is checked after the reply."""
        if not self._loose:
            return schema
        parts = [self._loose.get(_key(part), part) for part in _parts(schema)]
        return {**schema, "anyOf": parts} if "anyOf" in schema else _whole(parts[0])

    def learn(self, schema: Schema | None, said: str) -> str:
        """What a person is told of the refusal; empty where nothing is left to be loosened."""
        if schema is None or not SAYS_SO.search(said):
            return ""
        parts = _parts(schema)
        named = [int(at) for at in _PLACE.findall(said) if int(at) < len(parts)]
        refused = [parts[at] for at in named[:1]] or parts
        loose = {_key(part): _loose(part) for part in refused if _loose(part) != part}
        if not loose:
            self.takes_none = True
            return "it is told in words what a reply must be"
        self._loose |= loose
        names = ", ".join(dict.fromkeys(_name(part) for part in refused))
        return f"the schema of {names} is left open for it, and what is said is checked afterwards"

    def guide(self, schema: Schema) -> str:
        """The schema as a grammar; empty where it must be sent as it is."""
        return self.unrefused(guided(schema)) if self._is_guided else ""

    def learn_guide(self, grammar: str, said: str = "") -> str | None:
        """What a person is told of a grammar made of a schema that held a reply to nothing, or that the server
        refused with these words; None where they were about something else."""
        if said and "grammar" not in said.lower():
            return None
        # Words mean that it knows none of this kind; without any it did not understand this one.
        self._is_guided = self._is_guided and not said
        self._grammars.add(_hash(grammar))
        return "its replies are held to the schema in another way"

    def unrefused(self, grammar: str) -> str:
        """The grammar, or nothing where it was refused."""
        is_refused = self._takes_no_grammar or _hash(grammar) in self._grammars
        return "" if is_refused else grammar

    def learn_grammar(self, grammar: str, said: str) -> str | None:
        """What a person is told of the refusal: nothing where that is done; None where it was about something else."""
        if "grammar" not in said.lower():
            return None
        if not self.unrefused(grammar):
            # Another request had it refused while this one was on its way.
            return ""
        self._grammars.add(_hash(grammar))
        if _NO_GRAMMARS.search(said) and "parse" not in said:
            self._takes_no_grammar = True
            return "it is asked without grammars from now on, so its replies may have other forms"
        return f"it is asked without the grammar {grammar[:80]!r}, so its reply may have another form"


def _hash(grammar: str) -> bytes:
    return hashlib.sha256(grammar.encode()).digest()


def _parts(schema: Schema) -> list[JsonValue]:
    branches = schema.get("anyOf")
    return branches if isinstance(branches, list) and branches else [schema]


def _whole(part: JsonValue) -> Schema:
    return part if isinstance(part, dict) else {}


def _key(part: JsonValue) -> str:
    return json.dumps(part, sort_keys=True)


def _loose(part: JsonValue) -> JsonValue:
    """The same turn with anything in it: its tool is all that is held."""
    properties = part.get("properties") if isinstance(part, dict) else None
    if not isinstance(properties, dict):
        return {}
    if "args" in properties:
        return closed({**properties, "args": {"type": "object"}})
    return closed({name: {} for name in properties})


def _name(part: JsonValue) -> str:
    properties = part.get("properties") if isinstance(part, dict) else None
    if not isinstance(properties, dict):
        return "a reply"
    tool = properties.get("tool")
    return (
        str(tool["const"])
        if isinstance(tool, dict) and "const" in tool
        else f"a turn with {', '.join(properties)}"
    )
