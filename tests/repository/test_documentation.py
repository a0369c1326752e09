"""Documentation that cannot rot: commands, map and links of the README are what the code has."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from swarm.cli.app import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "AGENTS.md", "CHANGELOG.md"]


def commands(group: TyperGroup, prefix: str = "swarm") -> Iterator[tuple[str, str]]:
    """Every command with its help."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command.help or ""


def all_commands() -> list[tuple[str, str]]:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return list(commands(group))


@pytest.mark.parametrize(("command", "help_text"), all_commands())
def test_every_command_has_help_and_is_in_the_readme(command: str, help_text: str) -> None:
    parent, _, name = command.rpartition(" ")

    assert help_text.strip()
    assert f"`{command}" in README or (f"`{parent} " in README and f"`{name}" in README)


def test_every_row_of_the_map_is_a_folder() -> None:
    rows = re.findall(r"^\| `([\w/]+/)` \|", README, flags=re.MULTILINE)

    assert len(rows) >= 7
    assert [row for row in rows if not (ROOT / row).is_dir()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text(encoding="utf-8"))

    local = [link for link in links if not link.startswith("http")]
    assert [link for link in local if not (ROOT / link).exists()] == []


def test_every_path_that_the_architecture_names_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paths = re.findall(r"`(swarm/[\w/]+(?:\.py|/))`", text)

    assert len(paths) >= 12
    assert [path for path in paths if not (ROOT / path).exists() and path != "swarm/_builtin/"] == []


def test_the_map_of_the_rooms_is_that_of_the_code() -> None:
    drawn = subprocess.run(
        [sys.executable, "-c", "import runpy; print(runpy.run_path('docs/map.py')['drawn'](), end='')"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert drawn == (ROOT / "docs" / "map.svg").read_text(encoding="utf-8")


def test_every_module_that_the_architecture_names_alone_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    there = {
        path.name for folder in ("swarm", "mcp_servers", "tools") for path in (ROOT / folder).rglob("*.py")
    }

    assert set(re.findall(r"`(\w+\.py)`", text)) - there == set()


def test_every_target_that_the_pages_name_is_in_the_makefile() -> None:
    text = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"^make (\w+)|`make (\w+)", text, flags=re.MULTILINE))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))

    assert {first or second for first, second in named} <= targets


def test_the_python_of_the_readme_names_what_the_package_has() -> None:
    import swarm

    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names = [
        alias.name
        for block in blocks
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.ImportFrom) and node.module == "swarm"
        for alias in node.names
    ]

    assert names
    assert set(names) <= set(swarm.__all__)


def test_the_changelog_tells_what_is_unreleased() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
