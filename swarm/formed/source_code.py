"""Source code as rows: its comments, and the functions of Python."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_for_filename

from swarm.formed.marks import marked
from swarm.formed.row import Row, Text

PYTHON = (".py", ".pyi", ".pyw")
MOST_CHARACTERS = 2_000_000
"""Of one file: the time of a lexer grows with its text."""
_BEGIN = re.compile(
    r"\s*(?:#\||\{#|::?|#+|//+!?|/\*+!?|\*+/?|--\[=*\[|--+|;+|%+|<!--|<#|\{-\|?|\(\*+|\{\*?|(?i:rem)\b|=begin|['\"!]+)[ \t]?"
)
_NEXT = re.compile(r"\s*(?:\*+(?!/)[ \t]?)?")
_END = re.compile(r"[ \t]*(?:\*+/|\*+\)|--+>|-\}|\]=*\]|\|#|#\}|#>|=end)\s*$")
"""The signs of comments: at their beginning, in their further lines, at their end."""


def comments(texts: Sequence[Text]) -> list[Row]:
    """One row for each line of a comment: what it says without the signs of a comment, its mark, and whose it is.

    Raises:
        ValueError: the comments of a source can't be told; says which.
    """
    return [
        {"file": path, "line": line, **marked(said)._asdict()}
        for path, text in texts
        for line, said in _comments(path, text)
    ]


def functions(texts: Sequence[Text]) -> list[Row]:
    """One row for each function of Python sources, with the class that it is in, whether it is public, and its
    documentation string.

    Raises:
        ValueError: a source can't be parsed; says which.
    """
    return [row for path, text in texts for row in _python(path, _parsed(path, text).body, "")]


def _parsed(path: str, text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of what the sources hold; nobody runs them.
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{path} can't be parsed as Python: {error}") from error


def is_known(path: str) -> bool:
    """Whether the comments of such a file can be told."""
    return _lexer(path) is not None


def _lexer(path: str) -> Lexer | None:
    lexer = find_lexer_class_for_filename(path)
    return lexer(stripnl=False, ensurenl=False) if lexer else None


def _tokens(path: str, text: str) -> Iterator[tuple[int, str, str]]:
    """The tokens of a source: the lines that they begin at, their kinds as Pygments names them, their texts."""
    lexer = _lexer(path)
    if lexer is None or len(text) > MOST_CHARACTERS:
        why = "nobody knows its language" if lexer is None else f"it has over {MOST_CHARACTERS:,} characters"
        raise ValueError(f"{path}: its comments can't be told ({why}); read it as a text")
    line = 1
    for kind, value in lexer.get_tokens(text):
        yield line, str(kind), value
        line += value.count("\n")


def _is_comment(kind: str, *, is_python: bool) -> bool:
    """Some languages document in comments, which their lexers call documentation; in Python that is a string."""
    if kind.startswith("Token.Comment"):
        return not kind.endswith((".Preproc", ".PreprocFile", ".Hashbang"))
    return kind == "Token.Literal.String.Doc" and not is_python


def _comments(path: str, text: str) -> Iterator[tuple[int, str]]:
    for first, value in _whole_comments(path, text):
        for number, line in enumerate(value.splitlines()):
            said = _END.sub("", (_NEXT if number else _BEGIN).sub("", line, count=1)).strip()
            if said:
                yield first + number, said


def _whole_comments(path: str, text: str) -> Iterator[tuple[int, str]]:
    """The comments of a source with the lines that they begin at; some lexers give one in several tokens."""
    begun, before, said = 0, "", ""
    for first, kind, value in _tokens(path, text):
        is_comment = _is_comment(kind, is_python=path.endswith(PYTHON))
        if said and is_comment and kind == before and not kind.endswith(".Single"):
            said += value
            continue
        if said:
            yield begun, said
        begun, before, said = first, kind, value if is_comment else ""
    if said:
        yield begun, said


def _python(path: str, body: Iterable[ast.AST], inside: str, *, is_open: bool = True) -> Iterator[Row]:
    """The functions of a body. Public is one that others may call: neither it nor what it is in begins with an
    underscore, and it is no part of another function (as pydocstyle has it)."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield {
                "file": path,
                "line": node.lineno,
                "name": node.name,
                "class": inside or None,
                "public": "yes" if is_open and not node.name.startswith("_") else "no",
                "docstring": ast.get_docstring(node),
            }
        name = node.name if isinstance(node, ast.ClassDef) else inside
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            is_closed = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or (
                isinstance(node, ast.ClassDef) and node.name.startswith("_")
            )
            inner = ast.iter_child_nodes(node)
            yield from _python(path, inner, name, is_open=is_open and not is_closed)
