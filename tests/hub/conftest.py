"""Servers to call and what a call is told, for the tests of the hub."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from swarm.errors import ToolError
from swarm.nouns.tool import CallContext, Row
from swarm.project.project import Project
from swarm.project.server_entry import ServerEntry
from swarm.project.settings import Settings
from swarm.project.tool_files import read_tool_file

SERVERS = Path(__file__).parent / "servers"

StartServer = Callable[..., ServerEntry]
MakeProject = Callable[..., Project]
Tell = Callable[..., CallContext]


@dataclass
class Told:
    """What a call is told beside its arguments."""

    workspace: Path
    key: str
    deadline_seconds: float
    given: Mapping[str, list[Row]]

    async def leave(self) -> None:
        """Nothing records the call."""

    def tables(self) -> Mapping[str, list[Row]]:
        """The tables of the test."""
        return self.given

    def text_of(self, handle: str) -> str:
        """No handle is known."""
        raise ToolError(f"nothing is called {handle!r}")


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    """What a call is told: it may take 30 s, or as long as it says; and tables, where it says so."""

    def told(seconds: float = 30.0, **tables: list[Row]) -> CallContext:
        return Told(tmp_path, "run/step/-/1/1/0", seconds, tables)

    return told


@pytest.fixture
def start_server(tmp_path: Path) -> StartServer:
    """An entry that starts a file of ``servers/``, with these arguments and fields."""

    def entry(stem: str, *args: str, **fields: object) -> ServerEntry:
        base = ServerEntry(
            name=stem,
            origin=SERVERS / f"{stem}.py",
            command=sys.executable,
            args=("-P", str(SERVERS / f"{stem}.py"), *args),
            cwd=tmp_path,
        )
        return base.model_copy(update=fields)

    return entry


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """A project of these servers and tool files and nothing else."""

    def project(*servers: ServerEntry, tools: tuple[Path, ...] = ()) -> Project:
        files = [read_tool_file(path) for path in tools]
        return Project(
            root=tmp_path,
            workspace=tmp_path,
            settings=Settings(),
            cards={},
            card_files={},
            servers={entry.name: entry for entry in servers},
            tool_files={file.name: file for file in files},
        )

    return project
