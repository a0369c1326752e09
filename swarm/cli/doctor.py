"""``swarm doctor``: what a run would find on this machine, and what to do about each gap."""

from __future__ import annotations

import asyncio
import platform
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.options import ProjectOption, folder_of
from swarm.cli.output import print_finding, print_line
from swarm.errors import ModelMissing, ProjectError

if TYPE_CHECKING:
    from swarm.hub.hub import ServerState
    from swarm.models.model import Endpoint
    from swarm.project.project import Project
    from swarm.project.settings import ModelSettings

DISK_BYTES = 2_000_000_000
"""Less free space than this is a gap: the embedded model has 1.1 GB."""
LEAST_WINDOW = 8_192
"""A smaller one has no room for instructions, tools and results side by side."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    words: str
    remedy: str = ""
    """What to do; empty where there is no gap."""


def doctor(
    project: ProjectOption = None,
    probe: Annotated[
        str | None,
        typer.Option(
            "--probe",
            metavar="MODEL",
            help="Only try this model: what it does and how fast. Kept for the runs after.",
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--seconds", min=1, metavar="S", help="How long --probe may take; 120 if left out."),
    ] = None,
) -> None:
    """Show what a run finds here, and what to do about each gap. Exits with 1 where there is one.

    It starts the project's MCP servers, imports its tools and asks its model servers, as a run would;
    swarm list only reads.
    """
    if probe:
        from swarm.cli.model_trial import try_model

        raise typer.Exit(try_model(probe, project, seconds))
    print_line(
        "This starts the project's MCP servers and imports its tools, as a run would; swarm list only reads."
    )
    findings = [_python(), _disk(folder_of(project)), _sandbox(folder_of(project))]
    _tell(findings)
    found = _project(project)
    more = (
        [found, *asyncio.run(_models_alone(project))]
        if isinstance(found, Finding)
        else asyncio.run(_look_around(found))
    )
    _tell(more)
    if any(finding.remedy for finding in [*findings, *more]):
        raise typer.Exit(1)


def _tell(findings: list[Finding]) -> None:
    for finding in findings:
        print_finding(finding.what, finding.words, is_gap=bool(finding.remedy))
        if finding.remedy:
            print_line(f"     {'':<9} → {finding.remedy}")


def _python() -> Finding:
    return Finding("python", f"{platform.python_version()} at {sys.executable}")


def _disk(folder: Path) -> Finding:
    place = folder if folder.is_dir() else Path.cwd()
    free = shutil.disk_usage(place).free
    remedy = "free some space: runs and models need it" if free < DISK_BYTES else ""
    return Finding("disk", f"{free / 1e9:.1f} GB free at {place.resolve()}", remedy)


def _sandbox(folder: Path) -> Finding:
    """Which way programs are confined here; MCP servers run with the user's rights on every way."""
    from swarm.project.settings import read_settings
    from swarm.sandbox.confiner import choose

    try:
        setting = read_settings(folder).sandbox
    except ProjectError:  # told in full where the project is looked at
        setting = "auto"
    try:
        way = choose(setting)
    except ProjectError as error:
        return Finding("sandbox", str(error), "programs that a model wrote are not run until then")
    return Finding("sandbox", f"for programs that a model wrote: {way.words}; MCP servers have your rights")


def _project(folder: Path | None) -> Project | Finding:
    from swarm.project.project import open_project

    try:
        return open_project(folder)
    except ProjectError as error:
        return Finding("project", str(error), "mend the file that is named")


async def _look_around(project: Project) -> list[Finding]:
    """The models and the project's servers, looked at side by side."""
    agents = f"{project.root}, agents: {', '.join(project.cards)}"
    settings = project.settings
    async with asyncio.TaskGroup() as group:
        named = [group.create_task(_named(name, model)) for name, model in settings.models.items()]
        # Without a table [model] nothing but the named ones is wanted.
        is_wanted = bool(settings.model.model_fields_set) or not named
        models = group.create_task(_models(settings.model)) if is_wanted else None
        servers = group.create_task(_servers(project))
    found = [*(models.result() if models else []), *(task.result() for task in named)]
    return [Finding("project", agents), *found, *servers.result()]


async def _models_alone(folder: Path | None) -> list[Finding]:
    """The models, where a file of the project is wrong; nothing where it is the settings themselves."""
    from swarm.project.settings import read_settings

    try:
        settings = read_settings(folder or Path.cwd())
    except ProjectError:
        return []
    return await _models(settings.model)


async def _models(settings: ModelSettings) -> list[Finding]:
    from swarm.models.choose import wish_of
    from swarm.models.embedded.catalog import DEFAULT
    from swarm.models.servers.probe import find_endpoints, probe
    from swarm.project.secrecy import shown_url

    try:
        wish = wish_of(None, settings)
    except ProjectError as error:
        return [Finding("model", str(error), "correct [model] in swarm.toml")]
    if wish.url is None and wish.name and wish.name.partition(":")[0] == "scripted":
        return [Finding("model", f"{wish.name}: answers come from a script")]
    key = wish.api_key or ""
    try:
        endpoints = await (probe(wish.url, key) if wish.url else find_endpoints(key))
    except ModelMissing as error:
        return [Finding("model", str(error), "give it the key")]
    served = [_endpoint(endpoint) for endpoint in endpoints]
    if wish.url and not served:
        remedy = "start it, or correct the address (swarm.toml or SWARM_API_BASE)"
        return [Finding("model", f"no model server answers at {shown_url(wish.url)}", remedy)]
    found = [*served, *_embedded()]
    if not found:
        remedy = f"start a model server, or get the embedded model: swarm models pull {DEFAULT}"
        return [Finding("model", "no model server was found and no embedded model is there", remedy)]
    chosen = wish.name or (endpoints[0].model if endpoints else DEFAULT)
    return [*found, Finding("model", f"a run takes {chosen} where none is named")]


async def _named(name: str, settings: ModelSettings) -> Finding:
    """The model of one table ``[models.NAME]``."""
    from swarm.models.choose import find, wish_of_table

    try:
        wish = wish_of_table(settings)
        endpoint = await find(wish)
    except ProjectError as error:
        remedy = f"correct [models.{name}] in swarm.toml, or start its server"
        return Finding("model", f"[models.{name}] {error}", remedy)
    if endpoint is None:
        return Finding("model", f"[models.{name}] {wish.name or 'the model of your own machine'}")
    found = _endpoint(endpoint)
    return replace(found, words=f"[models.{name}] {found.words}")


def _endpoint(endpoint: Endpoint) -> Finding:
    from swarm.models.servers.profile import profile_of

    loads = "" if endpoint.is_loaded else ", not loaded"
    size = f"{endpoint.slots} slots of {endpoint.window} tokens{loads}"
    words = f"{endpoint.model} on {endpoint.kind} at {endpoint.url}: {size}"
    if can := sorted(endpoint.capabilities):
        words += f"; can: {', '.join(can)}"
    if (profile := profile_of(endpoint)) and (reads := profile.prefill_tokens_per_second):
        writes = profile.decode_tokens_per_second.get(1, 0.0)
        words += f"; measured: reads {reads:,.0f} and writes {writes:,.0f} tokens/s"
    if endpoint.window < LEAST_WINDOW:
        return Finding("model", words, f"give it a window of {LEAST_WINDOW} tokens or more")
    return Finding("model", words)


def _embedded() -> list[Finding]:
    from swarm.models.embedded.catalog import CATALOG
    from swarm.models.embedded.shelf import is_there, path_of

    return [
        Finding("model", f"{entry.name}, embedded, at {path_of(entry)}")
        for entry in CATALOG
        if is_there(entry)
    ]


async def _servers(project: Project) -> list[Finding]:
    from swarm.hub.hub import Hub

    async with Hub.open(project) as hub:
        return [_server(project, state) for state in await hub.describe()]


def _server(project: Project, state: ServerState) -> Finding:
    kind = "tools" if state.is_native else "server"
    if state.error:
        return Finding(kind, f"{state.name}: {state.error}", _remedy(project, state))
    names = ", ".join(tool.name for tool in state.tools) or "no tools"
    agents = ", ".join(project.agents_of(state.name))
    words = f"{state.name}: {names}" + (f"; for {agents}" if agents else "")
    if state.refused:
        refused = "; ".join(f"{name}: {why}" for name, why in state.refused.items())
        return Finding(kind, words, f"these cannot be used: {refused}")
    return Finding(kind, words, _lacking(project, state))


def _lacking(project: Project, state: ServerState) -> str:
    """What cards ask of a server that it does not have: their agents would fail at their first step."""
    there = {f"{state.name}.{tool.name}" for tool in state.tools}
    wanted = {
        tool: card.name
        for card in project.cards.values()
        for tool in card.tools
        if tool.startswith(f"{state.name}.") and tool not in there
    }
    if not wanted:
        return ""
    asked = ", ".join(f"{tool} (agent {agent})" for tool, agent in [*wanted.items()][:5])
    return f"it has not what cards ask for: {asked}; give the server another name in {state.origin}"


def _remedy(project: Project, state: ServerState) -> str:
    """What to do about a server that cannot be used; beside what its error says."""
    entry = project.servers.get(state.name)
    if entry is not None and entry.command == sys.executable and "ModuleNotFoundError" in state.error:
        return (
            f"it is started with {sys.executable}: install the module there, or give the server an entry in "
            ".mcp.json with a 'command' of its own"
        )
    if entry is not None and "(exit code 0)" in state.error:
        return "nothing in it starts the server: a file in mcp_servers/ must end with server.run()"
    return f"mend it in {state.origin}, or turn it off: [servers.{state.name}] enabled = false"
