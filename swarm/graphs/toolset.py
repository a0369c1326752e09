"""The run's tools as LangChain's: each call of a graph goes through the ledger, and is made once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from langchain_core.tools import BaseTool, StructuredTool, ToolException

from swarm.graphs.places import Places
from swarm.nouns.result import Evidence
from swarm.nouns.tool import Row, Tool
from swarm.work.context import Work
from swarm.work.effects import act


class Toolset:
    """The tools of one sub-agent, and what they were used for."""

    def __init__(self, work: Work, places: Places, rows: Mapping[str, Sequence[Row]]) -> None:
        self._work = work
        self._places = places
        self._rows = rows
        self.evidence: list[Evidence] = []
        self.files: list[str] = []

    def of(self, tools: Sequence[Tool]) -> list[BaseTool]:
        """These tools for LangChain, under their full names."""
        return [self._tool(tool) for tool in tools]

    def _tool(self, tool: Tool) -> BaseTool:
        async def call(**args: object) -> str:
            at = self._places.next(
                f"{tool.full_name} {json.dumps(args, sort_keys=True, ensure_ascii=False, default=str)}"
            )
            result = await act(self._work, at, tool, args, self._rows)
            if result.is_error:
                raise ToolException(result.text)
            self.evidence.append(Evidence(tool=tool.full_name, call=at.key, note=summarize_args(args)))
            self.files += result.files
            return result.text

        return StructuredTool(
            name=tool.full_name,
            description=tool.description or tool.full_name,
            args_schema=tool.input_schema,
            coroutine=call,
            handle_tool_error=True,
        )


def summarize_args(args: Mapping[str, object]) -> str:
    """What a call was asked, in a few words."""
    return ", ".join(str(value) for value in args.values())[:80]
