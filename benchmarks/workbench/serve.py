"""The MCP server of one domain of the set: its tools, and a record of each call that changes something.

The record is what a run is judged by, and what a server that died starts again from.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, cast

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
from pydantic import Field

from benchmarks.workbench.office import Function, Office
from benchmarks.workbench.tasks import Call


def serve(domain: str, data: str, made: str) -> None:
    """Serves the tools of a domain on standard input and output; ``made`` is the file of its record."""
    record = Path(made)
    office = Office(Path(data)).make((call.tool, call.args) for call in recorded(record))
    server = MCPServer(domain, version="1", log_level="WARNING")
    for function in office.tools.values():
        if function.domain == domain:
            is_reader = function.name not in office.changing
            server.add_tool(
                _wrapped(office, function, None if is_reader else record),
                name=function.name.partition(".")[2],
                description=function.described,
                annotations=ToolAnnotations(read_only_hint=is_reader),
                structured_output=False,
            )
    server.run()


def recorded(record: Path) -> list[Call]:
    """The calls of a record, in their order; none where there is no such file."""
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return [Call(**json.loads(line)) for line in lines]


def _wrapped(office: Office, function: Function, record: Path | None) -> Callable[..., str]:
    """The function with the types that the set's docstrings tell of."""

    def call(**args: str | None) -> str:
        given = {name: value for name, value in args.items() if value is not None}
        if record is not None:
            with record.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"tool": function.name, "args": given}) + "\n")
        return office.call(function.name, given)

    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=Annotated[str | None, Field(description=words)],
        )
        for name, (default, words) in function.parameters.items()
    ]
    call.__dict__["__signature__"] = inspect.Signature(parameters, return_annotation=str)
    return cast("Callable[..., str]", call)
