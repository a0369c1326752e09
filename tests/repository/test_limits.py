"""The limits of size that keep the code readable: a file is a screenful of ideas, a function one."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("swarm", "agents", "tools", "mcp_servers", "benchmarks", "examples", "tests")
FILE_LINES = 500
FUNCTION_LINES = 60


def sources() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_is_longer_than_500_lines() -> None:
    long = {str(path.relative_to(ROOT)): lines_of(path) for path in sources() if lines_of(path) > FILE_LINES}

    assert long == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long: dict[str, int] = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.end_lineno is None:
                continue
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = length

    assert long == {}


def test_every_module_says_what_it_owns() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.read_text(encoding="utf-8").strip()
        and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]

    assert silent == []


def test_servers_stand_alone() -> None:
    """A server imports neither the package nor another server; parts of its own lie in ``NAME_parts/``."""
    wrong: list[str] = []
    folder = ROOT / "mcp_servers"
    for path in folder.rglob("*.py"):
        owner = path.relative_to(folder).parts[0].removesuffix(".py").removesuffix("_parts")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            wrong += [
                f"{path.relative_to(folder)}: {module}"
                for module in modules
                if module.split(".")[0] in {"swarm", *(server.stem for server in folder.glob("*.py"))}
                or (module.startswith("mcp_servers") and module.split(".")[1:2] != [f"{owner}_parts"])
            ]

    assert wrong == []


def test_every_room_keeps_to_its_budget() -> None:
    """Non-blank lines, as the table of ARCHITECTURE.md allows them; its sum is what the package may have."""
    table = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `swarm/([\w*.]+)/?` \|.*\| ([\d,]+) \|$", table, flags=re.MULTILINE)
    budgets = {room: int(most.replace(",", "")) for room, most in rows}
    used = dict.fromkeys(budgets, 0)
    for path in (ROOT / "swarm").rglob("*.py"):
        room, *inner = path.relative_to(ROOT / "swarm").parts
        if "template" not in inner:
            text = path.read_text(encoding="utf-8")
            used[room if inner else "*.py"] += sum(1 for line in text.splitlines() if line.strip())

    assert {room: lines for room, lines in used.items() if lines > budgets[room]} == {}
    assert f"| all | | | {sum(budgets.values()):,} |" in table


def test_a_word_names_one_thing() -> None:
    """No class and no module of the package has another's name; an underscore makes no other word of it."""
    classes: dict[str, list[str]] = defaultdict(list)
    modules: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "swarm").rglob("*.py")):
        place = str(path.relative_to(ROOT))
        if "template" in path.parts or path.name == "__init__.py":
            continue
        modules[path.stem].append(place)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                classes[node.name.lstrip("_")].append(place)

    assert {name: places for name, places in modules.items() if len(places) > 1} == {}
    assert {name: places for name, places in classes.items() if len(places) > 1} == {}
