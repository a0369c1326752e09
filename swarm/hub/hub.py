"""The hub: one pool of MCP servers and native tools for all sub-agents."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from swarm.errors import ProjectError, ServerError, StoreError, SwarmError
from swarm.hub.servers.leftovers import FOLDER, Register
from swarm.hub.servers.supervised import Server
from swarm.hub.servers.turns import Turns
from swarm.hub.tools.native import from_file, from_functions
from swarm.hub.tools.offer import ToolSource
from swarm.hub.tools.results import failure
from swarm.hub.tools.threads import Threads
from swarm.nouns.events import Notice, ServerChanged
from swarm.nouns.tool import CallContext, Reading, Tool, ToolCall, ToolResult
from swarm.project.folders import is_in_place_of_built_in
from swarm.project.project import PYTHON, Project
from swarm.project.server_entry import ServerEntry
from swarm.project.wording import near

logger = logging.getLogger("swarm.hub")


class ServerState(BaseModel):
    """How a server, or a file of native tools, is: for people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    origin: str
    """The file that defines it; empty for functions of a program."""
    is_native: bool = False
    """Whether its tools run in this process."""
    started: bool = False
    tools: tuple[Tool, ...] = ()
    refused: dict[str, str] = {}
    """Why a tool it has is not offered, by name."""
    error: str = ""
    """Why it did not start; empty when it did."""


class Hub:
    """Finds and calls tools. Servers start when they are first needed and end with the hub.

    It is a ``swarm.nouns.tool.ToolBox``. Make one with ``Hub.open``.
    """

    def __init__(
        self,
        entries: Sequence[ServerEntry],
        native: Sequence[ToolSource],
        origins: dict[str, str],
        register: Register,
    ) -> None:
        turns = Turns()
        servers = [Server(entry, self.tell, note=register.note, turns=turns) for entry in entries]
        self._servers = tuple(servers)
        self._listeners: list[Callable[[ServerChanged | Notice], None]] = []
        self._sources: dict[str, ToolSource] = {source.name: source for source in (*servers, *native)}
        self._origins = origins
        self._shown: set[str] = set()
        self._told: set[str] = set()
        """What those who listen were told of tools that are left out."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, project: Project, *, functions: Sequence[Callable[..., object]] = ()
    ) -> AsyncGenerator[Hub]:
        """The hub of a project; ``functions`` become the tools ``python.NAME``.

        Nothing is started yet. All servers and what they started have ended when it is left.
        """
        threads = Threads()
        register = Register(project.runs_folder.parent / FOLDER)
        native = [from_file(file, threads) for file in project.tool_files.values()]
        if functions:
            native.append(from_functions(functions, threads))
        origins = {name: str(entry.origin) for name, entry in project.servers.items()}
        origins |= {name: str(file.path) for name, file in project.tool_files.items()}
        hub = cls(list(project.servers.values()), native, origins, register)
        try:
            yield hub
        finally:
            await hub._close()
            register.close()

    async def tools(self, names: tuple[str, ...]) -> tuple[Tool, ...]:
        """The tools of these names, each once: ``server.tool``, or ``server`` for all it has.

        Those of a server that cannot be used are left out where others are there, and a notice says so.

        Raises:
            ProjectError: a name that no server has, or a file of native tools that cannot be loaded.
            ServerError: none of the servers can be used; says why the first cannot.
        """
        sources = [self._source(name) for name in names]
        for source in sources:
            if isinstance(source, Server):
                source.start()
        found: dict[str, Tool] = {}
        lost: dict[str, SwarmError] = {}
        for name, source in zip(names, sources, strict=True):
            try:
                found |= {tool.full_name: tool for tool in await self._tools(name, source)}
            except ServerError as error:
                lost[name] = error
        if lost and not found:
            raise next(iter(lost.values()))
        for name, reason in lost.items():
            self._tell_once(f"{name} is left out of the tools: {reason}")
        self._shown |= found.keys()
        return tuple(found.values())

    async def _tools(self, name: str, source: ToolSource) -> list[Tool]:
        """The tools of one name.

        Raises:
            ProjectError: the server has no such tool, or none that can be used.
            ServerError: the server cannot be used, or the tool that it has.
        """
        offers = await source.offers()
        tool = name.partition(".")[2]
        if not tool:
            self._tell_left_out(source.name, dict(await source.refused()), has_tools=bool(offers))
            return [offer.tool for offer in offers.values()]
        if tool in offers:
            return [offers[tool].tool]
        problem = f"no tool {name!r}: {await self._lacks(source, tool)}{self._renaming(source)}"
        raise ServerError(problem) if tool in await source.refused() else ProjectError(problem)

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self.tell(Notice(text=text))

    async def call(self, call: ToolCall, context: CallContext) -> ToolResult:
        """What the tool gives. A wrong name or wrong arguments come back as ``is_error``, unsent.

        Raises:
            ServerError: the server did not start, died, or did not answer in time.
        """
        server, _, tool = call.tool.partition(".")
        source = self._sources.get(server)
        if source is None:
            return failure(f"no tool {call.tool!r}; {self._likely(call.tool)}")
        try:
            offers = await source.offers()
        except ProjectError as error:
            return failure(f"{call.tool} cannot be used: {error}")
        offer = offers.get(tool)
        if offer is None:
            return failure(f"no tool {call.tool!r}; {await self._lacks(source, tool)}")
        if problem := offer.arguments.problem(call.args):
            return failure(f"{call.tool} was not called: {problem}")
        return await source.call(call, offer, context)

    async def read_back(self, call: ToolCall) -> Reading | None:
        """What a verifiable call would change, read without changing it; None where that can't be read."""
        server, _, tool = call.tool.partition(".")
        source = self._sources.get(server)
        if source is None:
            return None
        try:
            offer = (await source.offers()).get(tool)
            reading = await source.read_back(call, offer) if offer else None
            may_act = isinstance(source, Server) and source.may_act(call)
            return reading and reading.model_copy(update={"may_act": may_act})
        except (ProjectError, ServerError) as error:
            logger.warning("%s cannot be read back: %s", call.tool, error)
            return None

    @contextmanager
    def heard_by(self, listener: Callable[[ServerChanged | Notice], None]) -> Generator[None]:
        """Within the block the listener hears of servers that die, fall silent or come back."""
        self._listeners.append(listener)
        self._told.clear()
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def tell(self, change: ServerChanged | Notice) -> None:
        """Tells those who listen, also of servers that are not the hub's own."""
        for listener in self._listeners:
            with suppress(StoreError):  # A run whose file takes no more ends by itself; the others go on.
                listener(change)

    async def describe(self) -> list[ServerState]:
        """Every server and file of native tools, started, with its tools or the reason it has none."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._state(source)) for source in self._sources.values()]
        return [task.result() for task in tasks]

    async def _state(self, source: ToolSource) -> ServerState:
        about = ServerState(
            name=source.name,
            origin=self._origins.get(source.name, ""),
            is_native=not isinstance(source, Server),
        )
        try:
            offers = await source.offers()
            refused = dict(await source.refused())
        except SwarmError as error:
            return about.model_copy(update={"error": str(error)})
        tools = tuple(offer.tool for offer in offers.values())
        return about.model_copy(update={"started": True, "tools": tools, "refused": refused})

    def _tell_left_out(self, server: str, refused: dict[str, str], *, has_tools: bool) -> None:
        """Names the tools that an agent of this server goes without, once to those who listen now.

        Raises:
            ProjectError: it goes without any: it would have to make up what it was to look up.
        """
        told = [f"{server}.{name} is left out: {reason}" for name, reason in refused.items()]
        if told and not has_tools:
            raise ProjectError(f"the server {server!r} has no tool that can be used: {'; '.join(told)}")
        for text in told:
            self._tell_once(text)

    def _source(self, name: str) -> ToolSource:
        server = name.partition(".")[0]
        if server in self._sources:
            return self._sources[server]
        if server == PYTHON:
            raise ProjectError(
                f"no tool {name!r}: the program has passed in no functions; give them as tools"
            )
        raise ProjectError(
            f"no tool {name!r}: there is no server {server!r}; {near(server, list(self._sources))}"
        )

    async def _lacks(self, source: ToolSource, tool: str) -> str:
        refused = await source.refused()
        if tool in refused:
            return f"it cannot be used: {refused[tool]}"
        names = [f"{source.name}.{name}" for name in await source.offers()]
        close = get_close_matches(f"{source.name}.{tool}", names, n=1)
        return f"did you mean {close[0]!r}?" if close else f"{source.name} has {', '.join(names) or 'none'}"

    def _renaming(self, source: ToolSource) -> str:
        """What a person may do where a server took the place of the one that cards which ship were written for."""
        origin = self._origins.get(source.name, "")
        if not (
            isinstance(source, Server) and is_in_place_of_built_in(source.name, Path(origin), "mcp_servers")
        ):
            return ""
        return (
            f" (the server {source.name!r} of {origin} stands in place of the one that ships; "
            "give it another name there)"
        )

    def _likely(self, name: str) -> str:
        """What was meant by a name of no server; the commonest slip leaves the server out."""
        full = sorted(shown for shown in self._shown if shown.partition(".")[2] == name)
        return f"did you mean {full[0]!r}?" if full else near(name, sorted(self._shown or self._sources))

    async def _close(self) -> None:
        for server in self._servers:
            server.stop()
        for server in self._servers:
            await server.close()
