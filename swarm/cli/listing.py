"""``swarm list``: the agents, tools and servers of a project, found by reading alone."""

from __future__ import annotations

from pathlib import Path

from swarm.cli.options import ProjectOption
from swarm.cli.output import print_columns


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
        ("server", name, entry.description or entry.url or entry.command, _place(entry.origin))
        for name, entry in opened.servers.items()
    ]
    print_columns(("KIND", "NAME", "WHAT", "WHERE"), [*cards, *tools, *servers])


def _place(path: Path) -> str:
    from swarm.project.folders import is_built_in

    if any(is_built_in(path, kind) for kind in ("agents", "tools", "mcp_servers")):
        return "built in"
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
