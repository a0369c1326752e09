"""Python modules, and which of them imports which."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from pathlib import Path

from benchmarks.kinds.kind import Aim, Commission, Kind, Sheet, Terms
from benchmarks.kinds.words import some

COLUMNS = ("module", "imports")
WORDINGS = (
    "Which modules in {folder} import each other? {out}, columns module and imports, one row per pair. Names like "
    "{folder}.x. Only modules of {folder} itself, nothing from outside (an empty __init__ is no module), each pair once.",
    "I'd like to draw a picture of how the parts of {folder} hang together. Please make {out} with two columns, module "
    "and imports: a row for every module of {folder} that a module imports, both with full dotted names ({folder}.x or "
    "{folder}.y.z). Things from the standard library don't matter, the empty __init__ files are no modules, and don't list a pair twice.",
    "Determine the internal dependencies of the Python package {folder} and record them in {out} with the columns "
    "module and imports (dotted names beginning with {folder}.). Every import of one module of the package by another "
    "one is one row, however often it occurs; imports of other libraries are to be ignored, and the empty __init__ files are not regarded as modules.",
    "who imports whom inside {folder}? csv please: {out}, columns module, imports, one line per pair and "
    "no pair twice. full names such as {folder}.abc. skip everything that's not ours. __init__ files are "
    "empty and don't count as modules",
)
NAMES = [
    "basket",
    "bills",
    "clock",
    "colours",
    "dates",
    "files",
    "forms",
    "mail",
    "numbers",
    "orders",
    "pages",
    "prices",
    "shelf",
    "stamps",
    "taxes",
    "users",
]
OUTSIDE = (
    "import os",
    "import json",
    "from pathlib import Path",
    "import csv, sys",
    "from orders_lib import load",
)
FORMS = (
    "from {package}.{module} import load",
    "import {package}.{module}",
    "from {parent} import {leaf}",
    "from {package}.{module} import (\n    load,\n    save,\n)",
    "import {package}.{module} as {leaf}_",
)


def make(rng: random.Random) -> Commission:
    package = rng.choice(("shop", "ledger", "depot"))
    modules = [f"{rng.choice(('', '', 'web.', 'core.'))}{name}" for name in some(rng, NAMES, 7, 14)]
    files = {f"{package}/__init__.py": ""}
    rows: list[tuple[str, str]] = []
    for module in modules:
        lines = ['"""A part of the package."""', ""]
        lines += some(rng, OUTSIDE, 0, 3)
        others = [other for other in modules if other != module]
        for other in some(rng, others, 0, 4):
            parent, _, leaf = f"{package}.{other}".rpartition(".")
            lines.append(rng.choice(FORMS).format(package=package, module=other, parent=parent, leaf=leaf))
            rows.append((f"{package}.{module}", f"{package}.{other}"))
        lines += [
            "",
            f"# import {package}.{rng.choice(others)} was here once",
            f"LIMIT = {rng.randint(1, 9)}",
            "",
            "",
            "def load():",
        ]
        repeated = [other for name, other in rows if name == f"{package}.{module}"]
        if repeated and rng.random() < 0.3:
            lines.append(f"    import {repeated[0]}")
        lines += [
            f'    return "import {package}.{rng.choice(others)}"',
            "",
            "",
            "def save():",
            "    return LIMIT",
            "",
        ]
        path = f"{package}/{module.replace('.', '/')}.py"
        if "." in module:
            files[f"{package}/{module.split('.')[0]}/__init__.py"] = ""
        files[path] = "\n".join(lines)
    if len(rows) < 4:
        return make(rng)
    terms = {"folder": package, "out": rng.choice(("imports.csv", "dependencies.csv", "graph.csv"))}
    aim = Aim({terms["out"]: Sheet(COLUMNS, tuple(rows))})
    return Commission(rng.choice(WORDINGS).format(**terms), files, aim, terms)


def solve(folder: Path, terms: Terms) -> Aim:
    modules = {
        ".".join(path.relative_to(folder).with_suffix("").parts): path
        for path in (folder / terms["folder"]).rglob("*.py")
    }
    pairs = {
        (name, target)
        for name, path in modules.items()
        for target in _targets(ast.parse(path.read_text(encoding="utf-8")))
        if target in modules and target != name
    }
    return Aim({terms["out"]: Sheet(COLUMNS, tuple(sorted(pairs)))})


def _targets(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


KIND = Kind(make, solve)
