"""A project: a folder with agents, tools, MCP servers and settings, found by reading alone."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from swarm.errors import ProjectError, quoted
from swarm.nouns.card import AgentCard
from swarm.project.cards import read_cards
from swarm.project.folders import check_folder, content_files, current_folder, is_built_in, said
from swarm.project.server_entry import ServerEntry
from swarm.project.servers import find_servers, is_on
from swarm.project.settings import FILE, Settings, read_settings
from swarm.project.sharing import ALL, share_out
from swarm.project.tool_files import ToolFile, read_tool_file
from swarm.project.wording import near

PYTHON = "python"
"""Where functions that a program passes in are found: ``python.NAME``."""


class Project(BaseModel):
    """Everything a project offers, its own and what ships with the package."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: Path
    workspace: Path
    """The folder its runs read and write."""
    settings: Settings
    cards: dict[str, AgentCard]
    card_files: dict[str, Path]
    servers: dict[str, ServerEntry]
    """The servers that are on."""
    tool_files: dict[str, ToolFile]

    def agents_of(self, server: str) -> tuple[str, ...]:
        """The agents whose card names a server or a file of tools, or a tool of it."""
        return tuple(
            name
            for name, card in self.cards.items()
            if any(tool.partition(".")[0] == server for tool in card.tools)
        )

    @property
    def runs_folder(self) -> Path:
        """Where the records of its runs are kept; made by the first run."""
        return self.root / ".swarm" / "runs"


def open_project(root: Path | None = None, *, workspace: Path | None = None) -> Project:
    """The project in a folder, the current one when none is named.

    Nothing is started, imported or written. ``workspace`` is stronger than ``swarm.toml``.

    Raises:
        ProjectError: a file that is wrong, with its place and the remedy.
    """
    root = check_folder(current_folder() if root is None else root, "the project")
    settings = read_settings(root)
    workspace = _workspace(root, workspace, settings)
    servers = find_servers(root, workspace, settings.servers)
    tool_files = {name: read_tool_file(path) for name, path in content_files(root, "tools").items()}
    _check_names(servers, tool_files)
    card_files = content_files(root, "agents")
    off = {name for name in settings.servers if not is_on(name, settings.servers)}
    written = {name: _without(off, card) for name, card in read_cards(card_files).items()}
    for name, card in written.items():
        _check_tools(card_files[name], card, servers, tool_files)
    cards = share_out(written, card_files, servers, tool_files)
    return Project(
        root=root,
        workspace=workspace,
        settings=settings,
        cards=cards,
        card_files=card_files,
        servers=servers,
        tool_files=tool_files,
    )


def _workspace(root: Path, given: Path | None, settings: Settings) -> Path:
    if given is not None:
        return check_folder(given, "the workspace")
    if settings.workspace.path is None:
        return root
    return check_folder(root / settings.workspace.path, f"the workspace in {FILE}")


def _check_names(servers: dict[str, ServerEntry], tool_files: dict[str, ToolFile]) -> None:
    places = {name: entry.origin for name, entry in servers.items()}
    for name, file in tool_files.items():
        if name in places:
            if is_built_in(file.path, "tools"):
                raise ProjectError(
                    f"{places[name]}: {name!r} is the name of tools that ship; give the server another name"
                )
            raise ProjectError(f"{file.path} and {places[name]} are both called {name!r}; rename one")
        places[name] = file.path
    if PYTHON in places:
        raise ProjectError(f"{places[PYTHON]}: {PYTHON!r} is kept for functions of a program; rename it")


def _without(off: set[str], card: AgentCard) -> AgentCard:
    kept = tuple(tool for tool in card.tools if tool.partition(".")[0] not in off)
    return card.model_copy(update={"tools": kept})


def _check_tools(
    path: Path, card: AgentCard, servers: dict[str, ServerEntry], tool_files: dict[str, ToolFile]
) -> None:
    """Refuses a name that no server and no tool file has; a server's own tools show when it runs."""
    for tool in card.tools:
        server, _, name = tool.partition(".")
        if server in servers or tool in (PYTHON, ALL) or server == PYTHON:
            continue
        if server not in tool_files:
            raise ProjectError(
                f"{said(path)}: tools: {quoted(tool)}: {near(server, [*servers, *tool_files])}"
            )
        functions = [function.name for function in tool_files[server].functions]
        if name and name not in functions:
            raise ProjectError(
                f"{said(path)}: tools: {quoted(tool)} is no tool of {server}; {near(name, functions)}"
            )
