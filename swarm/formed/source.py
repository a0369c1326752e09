"""Source code as rows: its comments, and the functions of Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound

from swarm.formed.row import Row, Text

PYTHON = (".py", ".pyi", ".pyw")
MOST_CHARACTERS = 2_000_000
"""Of one file: the time of a lexer grows with its text."""
_MARKS = re.compile(r"^\s*(?:#+|//[/!]?|/\*+|\*+/?|--+|;+|%+|<!--|\"+)\s?|\s*(?:\*+/|-->)\s*$")


def comments(texts: Sequence[Text]) -> list[Row]:
    """One row for each line of a comment: the file, the line, and what it says without the signs of a comment."""
    return [
        {"file": path, "line": line, "text": said}
        for path, text in texts
        for line, said in _comments(path, text)
    ]


def functions(texts: Sequence[Text]) -> list[Row]:
    """One row for each function of Python sources, with the class that it is in and its documentation string.

    Raises:
        ValueError: a source can't be parsed; says which.
    """
    return [row for path, text in texts for row in _python(path, _parsed(path, text).body, "")]


def _parsed(path: str, text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} can't be parsed as Python: {error}") from error


def _lexer(path: str) -> Lexer | None:
    try:
        return get_lexer_for_filename(path, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None


def _tokens(path: str, text: str) -> Iterator[tuple[int, str, str]]:
    """The tokens of a source: the lines that they begin at, their kinds as Pygments names them, their texts."""
    lexer = _lexer(path) if len(text) <= MOST_CHARACTERS else None
    line = 1
    for kind, value in lexer.get_tokens(text) if lexer else ():
        yield line, str(kind), value
        line += value.count("\n")


def _is_comment(kind: str, *, is_python: bool) -> bool:
    """Some languages document in comments, which their lexers call documentation; in Python that is a string."""
    if kind.startswith("Token.Comment"):
        return not kind.endswith((".Preproc", ".PreprocFile", ".Hashbang"))
    return kind == "Token.Literal.String.Doc" and not is_python


def _comments(path: str, text: str) -> Iterator[tuple[int, str]]:
    for first, kind, value in _tokens(path, text):
        if _is_comment(kind, is_python=path.endswith(PYTHON)):
            for number, line in enumerate(value.splitlines()):
                said = _MARKS.sub("", line).strip()
                if said:
                    yield first + number, said


def _python(path: str, body: Sequence[ast.stmt], inside: str) -> Iterator[Row]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                doc = ast.get_docstring(node)
                row: Row = {
                    "file": path,
                    "line": node.lineno,
                    "name": node.name,
                    "class": inside or None,
                    "docstring": doc,
                }
                yield row
                yield from _python(path, node.body, inside)
            case ast.ClassDef():
                yield from _python(path, node.body, node.name)
            case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                yield from _python(
                    path, [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt)], inside
                )
            case _:
                pass
