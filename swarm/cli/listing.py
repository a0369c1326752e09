"""``swarm list``: the agents, tools and servers of a project, found by reading alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from swarm.cli.options import ProjectOption
from swarm.cli.output import print_columns

if TYPE_CHECKING:
    from swarm.project.project import Project
    from swarm.project.server_entry import ServerEntry


def content(project: ProjectOption = None) -> None:
    """List the project's agents, tools and servers. Files are read; nothing is started or imported."""
    from swarm.project.project import open_project

    opened = open_project(project)
    cards = [
        ("agent", name, card.description, _place(opened.card_files[name]))
        for name, card in opened.cards.items()
    ]
    tools = [
        ("tool", f"{file.name}.{function.name}", function.description, _place(file.path))
        for file in opened.tool_files.values()
        for function in file.functions
    ]
    servers = [
        ("server", name, _server(opened, entry), _place(entry.origin))
        for name, entry in opened.servers.items()
    ]
    print_columns(("KIND", "NAME", "WHAT", "WHERE"), [*cards, *tools, *servers])


def _server(project: Project, entry: ServerEntry) -> str:
    """What a server is, who may use it, and what is the matter with it."""
    if entry.problem:
        return f"OFF: {entry.problem}"
    about = entry.description.rstrip(".") or (
        entry.address if entry.url else "a program without a description"
    )
    agents = project.agents_of(entry.name)
    users = (
        f"for {', '.join(agents)}"
        if agents
        else f"no agent uses it: name it in a card: tools: [{entry.name}]"
    )
    return f"{about}; {users}{_shadow(entry)}"


def _shadow(entry: ServerEntry) -> str:
    from swarm.project.folders import built_in_folder, is_built_in

    is_hiding = (built_in_folder("mcp_servers") / f"{entry.name}.py").is_file()
    if not is_hiding or is_built_in(entry.origin, "mcp_servers"):
        return ""
    return f"; WARNING: it stands in the place of the built-in {entry.name!r}, which agents that ship use"


def _place(path: Path) -> str:
    from swarm.project.folders import is_built_in

    if any(is_built_in(path, kind) for kind in ("agents", "tools", "mcp_servers")):
        return "built in"
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
