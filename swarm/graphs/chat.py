"""The run's model as LangChain's: each question of a graph is recorded, and asked once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import JsonValue, PrivateAttr

from swarm.agent.manual import manual
from swarm.agent.turn import TEXT, Action, Give, TurnRules, parse
from swarm.errors import MalformedReply, ModelError
from swarm.graphs.places import Places
from swarm.nouns.messages import Message, Request, Role
from swarm.nouns.prompt import fill
from swarm.nouns.tool import Tool, ToolCall
from swarm.work.context import Work, ask

MOST_MALFORMED = 1
"""Replies in a row that are no turn and get a corrective one, as for any agent."""

_TEXTS = {"text", "tool_use", "tool_call", "reasoning", "thinking"}
"""Kinds of content that are text, or that a message has beside it."""
_ROLES: dict[str, Role] = {"system": "system", "ai": "assistant"}


class RunModel(BaseChatModel):
    """The model of a run, for the graphs of ``agents/``.

    Tools that are bound to it are offered in words, and its reply is one JSON object under a schema, as for
    any agent: a server needs no tool calls of its own.
    """

    _work: Work = PrivateAttr()
    _places: Places = PrivateAttr()
    _reply_tokens: int = PrivateAttr()

    @classmethod
    def of(cls, work: Work, places: Places, reply_tokens: int) -> RunModel:
        """The model of one sub-agent."""
        model = cls()
        model._work, model._places, model._reply_tokens = work, places, reply_tokens
        return model

    @property
    def _llm_type(self) -> str:
        return "swarm"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The same with tools; with a ``tool_choice`` other than ``auto`` it calls one and answers nothing."""
        specs = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=specs, must_call=tool_choice not in (None, "auto", "none"), **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("the model of a run is asked from async nodes: await model.ainvoke(…)")

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        tools = tuple(_tool(spec) for spec in cast("list[dict[str, Any]]", kwargs.get("tools") or ()))
        told = [_message(message) for message in messages]
        if not tools:
            return _result(AIMessage(await self._asked(told, None)))
        result = None if kwargs.get("must_call") else TEXT
        rules = TurnRules(tools, result, may_give_up=False)
        action = await self._turn(_with_manual(told, tools, result is not None, self._window), rules)
        if isinstance(action, ToolCall):
            at = self._places.next(f"call {action.model_dump_json()}")
            # Of the place, so that it is the same after a kill.
            id = f"{at.thread.part}-{at.turn}"
            call = {"name": _bare(action.tool, tools), "args": action.args, "id": id, "type": "tool_call"}
            return _result(AIMessage("", tool_calls=[call]))
        return _result(AIMessage(str(action.data) if isinstance(action, Give) else ""))

    async def _turn(self, told: list[Message], rules: TurnRules) -> Action:
        """What the model wants, corrected once where its reply is no turn.

        Raises:
            MalformedReply: it is none after the correction either.
        """
        for left in reversed(range(MOST_MALFORMED + 1)):
            text = await self._asked(told, rules.schema())
            try:
                return parse(text, rules)
            except MalformedReply as error:
                if not left:
                    raise
                told = [*told, Message("assistant", text), Message("user", f"{error} Reply again.")]
        raise AssertionError("a last try raises")

    async def _asked(self, told: list[Message], schema: dict[str, JsonValue] | None) -> str:
        attempt = self._places.thread.attempt
        request = Request(
            messages=tuple(told),
            output_schema=schema,
            max_tokens=self._reply_tokens,
            temperature=0.0 if attempt <= 1 else 0.4,
            seed=attempt,
        ).within(self._work.limits)
        return (await ask(self._work, self._places.next(request.digest()), request)).text

    @property
    def _window(self) -> int:
        return self._work.model.endpoint.window


def _tool(spec: dict[str, Any]) -> Tool:
    function = spec["function"]
    server, dot, name = str(function["name"]).partition(".")
    return Tool(
        server=server if dot else "graph",
        name=name if dot else server,
        description=str(function.get("description", "")),
        input_schema=function.get("parameters") or {"type": "object", "properties": {}},
    )


def _bare(name: str, tools: tuple[Tool, ...]) -> str:
    """The name that the graph knows a tool by: functions of its own have no server."""
    tool = next(tool for tool in tools if tool.full_name == name)
    return tool.name if tool.server == "graph" else name


def _message(message: BaseMessage) -> Message:
    """A message as the run's model takes it.

    Raises:
        ModelError: it holds more than text.
    """
    blocks = [] if isinstance(message.content, str) else message.content
    kinds = {str(block.get("type")) for block in blocks if isinstance(block, dict)} - _TEXTS
    if kinds:
        raise ModelError(
            f"a message of the graph holds {', '.join(sorted(kinds))}; the model of a run reads text alone"
        )
    if isinstance(message, ToolMessage):
        verb = "failed" if message.status == "error" else "gave"
        return Message("user", f"{message.name or 'the tool'} {verb}:\n{message.text}")
    if isinstance(message, AIMessage) and message.tool_calls:
        calls = [{"tool": call["name"], "args": call["args"]} for call in message.tool_calls]
        return Message("assistant", "\n".join(json.dumps(call, ensure_ascii=False) for call in calls))
    return Message(_ROLES.get(message.type, "user"), message.text)


def _with_manual(told: list[Message], tools: tuple[Tool, ...], answers: bool, window: int) -> list[Message]:
    """The conversation with what the tools are and how they are called, in its first message."""
    answer = ', or {"result": "..."} to answer' if answers else ""
    how = fill("graph_turn", tools=manual(tools, window), answer=answer)
    if told and told[0].role == "system":
        return [Message("system", f"{told[0].content}\n\n{how}"), *told[1:]]
    return [Message("system", how), *told]


def _result(message: AIMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=message)])
