"""``swarm serve NAME``: one of the project's MCP servers in the foreground, for another client to use."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from swarm.cli.options import ProjectOption
from swarm.errors import ProjectError


def serve(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A server that `swarm list` shows.")],
    project: ProjectOption = None,
) -> None:
    """Run a server of the project over stdin and stdout, as the hub would start it."""
    from swarm.project.project import open_project
    from swarm.project.wording import near

    servers = open_project(project).servers
    if name not in servers:
        raise ProjectError(f"there is no server {name!r}; {near(name, list(servers))}")
    entry = servers[name]
    if entry.problem:
        raise ProjectError(f"{entry.origin}: the server {name!r} cannot be used: {entry.problem}")
    if entry.transport != "stdio":
        raise ProjectError(f"the server {name!r} runs at {entry.url!r}; connect to it there")
    sys.stdout.flush()
    try:
        os.chdir(entry.cwd)
        os.execvpe(entry.command, [entry.command, *entry.args], os.environ | entry.env)
    except OSError as error:
        raise ProjectError(
            f"{entry.origin}: the server {name!r} cannot be started: {error.strerror} ({entry.command!r})"
        ) from error
