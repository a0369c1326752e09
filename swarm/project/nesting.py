"""How deep JSON or TOML goes, told from its text: what a parser would fail on is refused before it is parsed."""

from __future__ import annotations

import re
from pathlib import Path

from swarm.errors import ProjectError
from swarm.project.folders import said

MOST_DEEP = 64
"""Brackets within brackets, or parts of a dotted key. A schema in a plan nests some ten deep."""

_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_TOML_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?|'
    r"'''(?:[^']|'(?!''))*+(?:''')?|"
    r'"(?:[^"\\\n]|\\.)*+"?|'
    r"'[^'\n]*+'?|#[^\n]*+",
    re.DOTALL,
)
_BRACKET = re.compile(r"[\[\]{}]")
_KEY = re.compile(r"[^=,{}\[\]\n]+")


def check_json(path: Path, text: str) -> str:
    """The text, where its arrays and objects go no deeper than people write them.

    Raises:
        ProjectError: they do.
    """
    _check_brackets(path, _JSON_TEXT.sub("", text))
    return text


def check_toml(path: Path, text: str) -> str:
    """The text, where its tables, arrays and dotted keys go no deeper than people write them.

    Raises:
        ProjectError: they do.
    """
    bare = _TOML_TEXT.sub("_", text)
    _check_brackets(path, bare)
    for key in _KEY.finditer(bare):
        if key.group().count(".") > MOST_DEEP:
            raise _too_deep(path, bare, key.start())
    return text


def _check_brackets(path: Path, bare: str) -> None:
    depth = 0
    for bracket in _BRACKET.finditer(bare):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > MOST_DEEP:
            raise _too_deep(path, bare, bracket.start())


def _too_deep(path: Path, bare: str, at: int) -> ProjectError:
    line = bare.count("\n", 0, at) + 1
    return ProjectError(
        f"{said(path)}: about line {line}: nested more than {MOST_DEEP} deep; make it flatter"
    )
