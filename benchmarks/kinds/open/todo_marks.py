"""Marks of work left over in source code, to be collected into a table."""

from __future__ import annotations

import random
import re
from pathlib import Path

from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms
from benchmarks.kinds.words import FIRST, some

COLUMNS = ("file", "line", "mark", "text")
WORDINGS = (
    "List all TODO and FIXME comments of the code in {folder} in {out}, a Markdown table with the columns file, line, "
    "mark, text. file with its path from here ({folder}/...), mark is TODO or FIXME, text is what comes after the colon.",
    "before the release we want to see what is left over. can you go through {folder} and write {out} with one "
    "markdown table: file | line | mark | text? file like {folder}/name, line = line number, mark = TODO or FIXME and "
    "text = everything behind the colon of the mark. there are python and shell and javascript files, take them all",
    "Produce {out}: a Markdown table (columns file, line, mark, text) of every TODO: and FIXME: comment found under "
    "{folder}. Paths are relative to this folder, e.g. {folder}/x.py. The text excludes the mark, any name in "
    "parentheses and the colon.",
    "Sprint planning: I want every TODO and FIXME comment from the sources in {folder} on one page, "
    "{out}. Just a Markdown table with file, line, mark, text. The file with folder ({folder}/...), the "
    "line number, TODO or FIXME, and the words after the colon.",
)
TASKS = (
    "handle empty input", "remove after the move", "ask Greta about the limit", "use the new price list",
    "this breaks with two tills", "speed up", "write a test", "check the time zone", "rename once v2 is out",
    "avoid the second query", "find out why it is 17", "translate the messages", "drop the old column",
)  # fmt: skip
CODE = {
    "py": ("import os", "def load(path):", "    return path", "todo_list = []", "for item in items:", "    total += item", "TODO_LIMIT = 5", 'print("no todo left")'),
    "js": ("const a = 1;", "function load(p) {", "  return p;", "}", "let todos = [];", "export default load;"),
    "sh": ("set -e", "cd data", "ls -l", "cp a.txt b.txt", "echo done", "TODO_FILE=list.txt"),
}  # fmt: skip
COMMENT = {"py": "#", "js": "//", "sh": "#"}
NAMES = [
    "basket",
    "client",
    "export",
    "filter",
    "helper",
    "index",
    "loader",
    "mailer",
    "orders",
    "parser",
    "report",
    "server",
    "stock",
    "tables",
]


def make(rng: random.Random) -> Commission:
    root = rng.choice(("src", "code", "app"))
    files: dict[str, str] = {}
    rows: list[tuple[str, int, str, str]] = []
    for name in some(rng, NAMES, 6, 14):
        suffix = rng.choice(("py", "py", "js", "sh"))
        path = f"{root}/{rng.choice(('', 'core/', 'web/'))}{name}.{suffix}"
        lines: list[str] = []
        for number in range(1, rng.randint(12, 60)):
            code, sign = rng.choice(CODE[suffix]), COMMENT[suffix]
            if rng.random() < 0.07:
                mark, text = rng.choice(("TODO", "TODO", "FIXME")), rng.choice(TASKS)
                owner = f"({rng.choice(FIRST).lower()})" if rng.random() < 0.3 else ""
                before = rng.choice(("", "    ", f"{code}  "))
                lines.append(f"{before}{sign} {mark}{owner}: {text}")
                rows.append((path, number, mark, text))
            else:
                lines.append(rng.choice((code, code, code, "", f"{sign} nothing to do here")))
        files[path] = "\n".join(lines) + "\n"
    if not rows:
        return make(rng)
    terms = {"folder": root, "out": rng.choice(("todo.md", "open_points.md", "TODOS.md"))}
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def solve(folder: Path, terms: Terms) -> Aim:
    rows: list[tuple[str, int, str, str]] = []
    for path in sorted((folder / terms["folder"]).rglob("*.*")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if found := re.search(r"(?:#|//).*?\b(TODO|FIXME)(?:\([^)]*\))?:(.*)", line):
                rows.append((path.relative_to(folder).as_posix(), number, found[1], found[2].strip()))
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})


KIND = Kind(make, solve)
