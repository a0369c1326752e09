"""Native tools that count, extract and replace by a pattern, in a text or in one kept under a handle, and one
that shows the first lines of the texts of the workspace.

Patterns are regular expressions of the package ``regex``, whose matching can be given a time limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex
from pydantic import JsonValue

from swarm import ToolContext, ToolError, ToolResult, tool
from swarm.survey.forming import formed
from swarm.survey.groups import look_at

SECONDS = 2.0
"""Time one call may spend in matching: a pattern that backtracks without end is stopped."""
MOST_PATTERN = 1_000
MOST_CHARACTERS = 2_000_000
"""Of a text, and of what a replacement makes of it."""
MOST_MATCHES = 1_000
SHOWN_CHARACTERS = 6_000
"""Of a list of matches, about 2,000 tokens; the data holds all of them."""
MOST_STEPS = 20_000
"""Of a pattern when it is compiled: about 6 MB (``regex`` 2025.9 writes counted repeats out, some 300 bytes a step)."""
TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?#[^)]*\)|\{(\d*)(?:,(\d*))?\}|.", re.DOTALL)
"""One sign of a pattern, a set of characters, or a count."""
REREAD = re.compile(r"(?<!\\)\(\?[a-zA-Z]*(?:x|V1)")
"""Flags under which brackets, spaces and ``#`` mean something else."""
HANDLE = re.compile(r"t-[0-9a-f]{6,64}")


@tool(effect="pure")
def count(pattern: str, text: str, context: ToolContext) -> ToolResult:
    """Count the matches of a regular expression in a text, or in the text behind a handle (t-...)."""
    number = sum(1 for _ in _matches(pattern, _whole(text, context)))
    return ToolResult(text=f"{number} match{'es' * (number != 1)}", data=number)


@tool(effect="pure")
def extract(pattern: str, text: str, context: ToolContext) -> ToolResult:
    """Extract the matches of a regular expression from a text or handle; named groups (?P<name>...) give rows."""
    found: list[JsonValue] = []
    for match in _matches(pattern, _whole(text, context)):
        if len(found) == MOST_MATCHES:
            raise ToolError(f"over {MOST_MATCHES} matches; use a narrower pattern, or count")
        found.append(_given(match))
    return ToolResult(text=_listed(found), data=found)


@tool(effect="pure")
def replace(pattern: str, by: str, text: str, context: ToolContext) -> ToolResult:
    r"""Replace the matches of a regular expression in a text or handle; \1 or \g<name> puts a group in."""
    whole = _whole(text, context)
    pieces: list[str] = []
    end = size = 0
    for match in _matches(pattern, whole):
        try:
            pieces += [whole[end : match.start()], match.expand(by)]
        except (regex.error, IndexError) as error:
            raise ToolError(f"by={by!r} is no replacement: {error}; write \\\\ for a backslash") from None
        end = match.end()
        size += len(pieces[-2]) + len(pieces[-1])
        if size > MOST_CHARACTERS:
            raise ToolError(f"the new text would have over {MOST_CHARACTERS} characters")
    return ToolResult(text="".join([*pieces, whole[end:]]), data={"replaced": len(pieces) // 2})


@tool(effect="pure")
def samples(context: ToolContext) -> ToolResult:
    """All files of the workspace by kind and folder, with the first lines of one text of each."""
    seen = look_at(context.workspace)
    seen = seen.model_copy(update={"formed": formed(context.workspace, seen.groups)})
    lines = [f"{group.pattern} ({group.files}, {group.kind})" for group in seen.groups]
    return ToolResult(text="\n".join(lines) or "no files", data=seen.model_dump(mode="json"))


def _whole(text: str, context: ToolContext) -> str:
    """The text itself, or the one behind the handle that it is.

    Raises:
        ToolError: no text has that handle, or it is too long.
    """
    whole = context.text_of(text.strip()) if HANDLE.fullmatch(text.strip()) else text
    if len(whole) > MOST_CHARACTERS:
        raise ToolError(f"the text has over {MOST_CHARACTERS} characters; take it in parts")
    return whole


def _matches(pattern: str, text: str) -> Iterator[regex.Match[str]]:
    """The matches in order; ``^`` and ``$`` are the ends of a line.

    Raises:
        ToolError: the pattern is none, or takes too long.
    """
    if not 0 < len(pattern) <= MOST_PATTERN:
        raise ToolError(f"a pattern has 1 to {MOST_PATTERN} characters")
    if REREAD.search(pattern):
        raise ToolError(f"the pattern {pattern[:80]!r} has a flag x or V1; write it without")
    if (steps := steps_of(pattern)) > MOST_STEPS:
        raise ToolError(
            f"the counted repeats of {pattern[:80]!r} make {min(steps, 10**9):,} steps or more, over {MOST_STEPS}; "
            "use smaller counts, or * and +"
        )
    try:
        compiled = regex.compile(pattern, regex.MULTILINE | regex.VERSION0)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ToolError(
            f"{pattern!r} is no regular expression: {error}; write \\. \\( \\[ for these signs themselves"
        ) from None
    try:
        yield from compiled.finditer(text, timeout=SECONDS, concurrent=True)
    except TimeoutError:
        raise ToolError(
            f"the pattern {pattern!r} takes too long; avoid repeats inside repeats, like (a+)+"
        ) from None


def steps_of(pattern: str) -> int:
    """The steps of a pattern when it is compiled, what is counted taken as often as it may be."""
    done, last = [0], [0]
    for token in TOKEN.finditer(pattern):
        if token[0].startswith("(?#"):
            continue
        counts = [int(count) for count in token.groups() if count]
        if token[0] == "(":
            done.append(0)
            last.append(0)
        elif token[0] == ")" and len(done) > 1:
            inner = done.pop() + last.pop()
            done[-1] += last[-1]
            last[-1] = inner
        elif counts:
            last[-1] *= max(1, *counts)
        else:
            done[-1] += last[-1]
            last[-1] = 1
    return sum(done) + sum(last)


def _given(match: regex.Match[str]) -> JsonValue:
    """What a match gives: a row of its groups, its one group, or all of it."""
    named: dict[str, JsonValue] = {**match.groupdict()}
    if named:
        return named
    groups = match.groups()
    if len(groups) > 1:
        return {f"group{number}": group for number, group in enumerate(groups, 1)}
    return groups[0] if groups else match[0]


def _listed(found: list[JsonValue]) -> str:
    if not found:
        return "no match; (?i) at the start of a pattern ignores letter case"
    lines: list[str] = []
    room = SHOWN_CHARACTERS
    for one in found:
        cells = one.values() if isinstance(one, dict) else [one]
        line = " | ".join("" if cell is None else re.sub(r"\s+", " ", str(cell)) for cell in cells)
        room -= len(line) + 1
        if room < 0 and lines:
            break
        lines.append(line[:SHOWN_CHARACTERS])
    rest = f"first {len(lines)} of " if len(lines) < len(found) else ""
    heading = [" | ".join(found[0])] if isinstance(found[0], dict) else []
    return "\n".join([*heading, *lines, f"({rest}{len(found)} match{'es' * (len(found) != 1)})"])
