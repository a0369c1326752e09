"""Files of native tools: parsed, never run."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.errors import ProjectError
from swarm.project.tool_files import NativeFunction, read_tool_file

GOOD = '''
import swarm
from swarm import tool

raise SystemExit("a tool file is never run when it is listed")

@tool(effect="pure")
def count(text: str) -> int:
    """Counts the words
    of a text.

    More that no list shows.
    """

@swarm.tool(effect="idempotent")
async def store(text: str) -> str:
    """Stores a text."""

def private() -> None: ...
'''


def _refusal(folder: Path, text: str) -> str:
    path = folder / "words.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError) as refusal:
        read_tool_file(path)
    return str(refusal.value).removeprefix(str(path))


def test_the_marked_functions_are_found_without_running_the_file(tmp_path: Path) -> None:
    path = tmp_path / "words.py"
    path.write_text(GOOD, encoding="utf-8")

    file = read_tool_file(path)

    assert file.name == "words"
    assert file.functions == (
        NativeFunction(name="count", description="Counts the words of a text.", effect="pure", line=8),
        NativeFunction(name="store", description="Stores a text.", effect="idempotent", line=16),
    )


def test_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    assert _refusal(tmp_path, "x = 1\ndef (\n").startswith(":2: no valid Python: ")


def test_a_file_without_a_tool_is_refused(tmp_path: Path) -> None:
    assert _refusal(tmp_path, "def f() -> None: ...\n") == (
        ": no function is marked @tool(effect=...); mark one, or move the file elsewhere"
    )


def test_a_tool_without_a_docstring_is_refused(tmp_path: Path) -> None:
    assert _refusal(tmp_path, '@tool(effect="pure")\ndef f() -> None: ...\n') == (
        ":2: the tool 'f' has no docstring; say what it gives"
    )


@pytest.mark.parametrize("mark", ["@tool", "@tool()", '@tool(effect="harmless")', "@tool(effect=EFFECT)"])
def test_a_tool_without_an_effect_class_is_refused(tmp_path: Path, mark: str) -> None:
    said = _refusal(tmp_path, f'{mark}\ndef f() -> None:\n    """F."""\n')

    assert said == (
        f':1: {mark.replace(chr(34), chr(39))} names no effect class; write @tool(effect="...") with one of '
        "pure, idempotent, keyed, verifiable, irreversible"
    )


def test_two_tools_of_one_name_are_refused_with_both_lines(tmp_path: Path) -> None:
    tool = '@tool(effect="pure")\ndef f() -> None:\n    """F."""\n'

    assert _refusal(tmp_path, tool + tool) == ":5: 'f' is a tool in line 2 already; rename one"
