"""Python functions that say nothing of what they do."""

from __future__ import annotations

import ast
import random
from pathlib import Path

from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms
from benchmarks.kinds.words import some

COLUMNS = ("file", "line", "function")
WORDINGS = (
    "List the functions without a docstring in {folder} to {out}: file, line, function. Methods count too. Functions "
    "whose name begins with an underscore don't. file as {folder}/..., line where the def is, function is the bare name.",
    "We agreed that every public function has a docstring. Please see which ones in {folder} still have none (methods "
    "and async functions as well, anything starting with _ is private and may stay as it is) and put them in {out} "
    "with the columns file, line and function. Write the file with its path like {folder}/a.py, the line number of "
    "the def line, and only the name of the function without class or brackets.",
    "Task: produce {out} with the columns file (path, {folder}/...), line (number of the line with def) and function "
    "(name only) for each function or method in {folder} that lacks a docstring. Names with a leading underscore are "
    "exempt. A comment is not a docstring.",
    "for the docs sprint i want a list of undocumented functions in {folder}. make {out} with file, "
    'line, function (file = {folder}/..., line = where "def" is, function = name only). classes don\'t '
    "matter but their methods do; names starting with _ we skip",
)
VERBS = [
    "add",
    "build",
    "check",
    "close",
    "count",
    "fetch",
    "find",
    "join",
    "list",
    "load",
    "move",
    "open",
    "parse",
    "print",
    "read",
    "save",
    "send",
    "sort",
    "split",
    "sum",
]
NOUNS = [
    "basket",
    "client",
    "day",
    "entry",
    "file",
    "invoice",
    "key",
    "line",
    "member",
    "name",
    "order",
    "page",
    "price",
    "row",
    "sheet",
    "table",
    "user",
]


def make(rng: random.Random) -> Commission:
    root = rng.choice(("package", "src", "lib"))
    rows: list[tuple[str, int, str]] = []
    files: dict[str, str] = {}
    for noun in some(rng, NOUNS, 5, 12):
        path = f"{root}/{rng.choice(('', 'tools/', 'web/'))}{noun}s.py"
        lines, found = _module(rng)
        files[path] = "\n".join(lines) + "\n"
        rows += [(path, line, name) for line, name in found]
    if len(rows) < 3:
        return make(rng)
    terms = {"folder": root, "out": rng.choice(("no_docstring.csv", "undocumented.csv", "missing.csv"))}
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def _module(rng: random.Random) -> tuple[list[str], list[tuple[int, str]]]:
    lines = ['"""A part of the program."""', "", "import os", ""]
    found: list[tuple[int, str]] = []
    inner = ""
    for _ in range(rng.randint(2, 7)):
        if rng.random() < 0.25:
            inner = "    "
            lines += [
                "",
                f"class {rng.choice(NOUNS).title()}{rng.choice(NOUNS).title()}:",
                '    """Holds things."""',
                "",
            ]
        name = f"{rng.choice(('', '', '', '', '_'))}{rng.choice(VERBS)}_{rng.choice(NOUNS)}"
        if inner and rng.random() < 0.3:
            lines.append(f"{inner}@staticmethod")
        lines.append(
            f"{inner}{rng.choice(('', '', '', 'async '))}def {name}({rng.choice(('', 'path', 'rows, limit=10'))}):"
        )
        line = len(lines)
        is_documented = rng.random() < 0.6
        if is_documented:
            lines += rng.choice((
                [f'{inner}    """Does the work."""'],
                [
                    f'{inner}    """Does the work.',
                    "",
                    f"{inner}    def in a text: no function",
                    f'{inner}    """',
                ],
            ))
        else:
            lines += rng.choice(([], [f"{inner}    # does the work"], [f'{inner}    text = """none"""']))
        lines += [f"{inner}    value = {rng.randint(1, 99)}", f"{inner}    return value", ""]
        if not is_documented and not name.startswith("_"):
            found.append((line, name))
    return lines, found


def solve(folder: Path, terms: Terms) -> Aim:
    rows: list[tuple[str, int, str]] = []
    for path in sorted((folder / terms["folder"]).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
                continue
            if ast.get_docstring(node) is None:
                rows.append((path.relative_to(folder).as_posix(), node.lineno, node.name))
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})


KIND = Kind(make, solve)
