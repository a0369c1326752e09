"""LangGraph's agent as its documentation builds it, on any of our models: ``create_agent``, all at once."""

# pyright: reportUnknownVariableType=false
# langchain's own annotations are not complete; mypy checks how it is called.
from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool

from benchmarks.scripts.readers import Reader, brief_of
from swarm.models.model import Model
from swarm.nouns.messages import Message, Request, Role

_ROLES: dict[str, Role] = {"system": "system", "human": "user", "ai": "assistant", "tool": "user"}


class Chat(BaseChatModel):
    """A chat model of LangChain that asks one of ours."""

    model: Any

    @property
    def _llm_type(self) -> str:
        return "swarm"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """Itself: the script knows the tools."""
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError("asked asynchronously only")

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        said = [Message(_ROLES[message.type], message.text) for message in messages]
        text = (await self.model.reply(Request(messages=tuple(said), max_tokens=256))).text
        turn = json.loads(text)
        name = str(turn.get("tool", "")).rpartition(".")[2]
        calls = [{"name": name, "args": turn["args"], "id": str(len(said))}] if name else []
        answer = AIMessage(content=text, tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=answer)])


async def work(model: Model, reader: Reader, instructions: str, notes: Sequence[str]) -> None:
    """All agents at once, each in its own conversation."""

    @tool
    async def read_part(note: str, part: int, why: str) -> str:
        """Gives a part of a note."""
        return reader.read_part(note, part, why)

    agent: Any = create_agent(model=Chat(model=model), tools=[read_part], system_prompt=instructions)
    async with asyncio.TaskGroup() as group:
        for note in notes:
            asked = {"messages": [{"role": "user", "content": brief_of(note)}]}
            group.create_task(agent.ainvoke(asked, {"recursion_limit": 60}))
