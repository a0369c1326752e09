"""One agent at work: its conversation, what it may say next, and when it is done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from swarm.agent.assignment import Assignment
from swarm.agent.border import Border
from swarm.agent.grounding import ReadTexts
from swarm.agent.headway import MOST_REPEATS, Progress
from swarm.agent.invented import Vouched, invented
from swarm.agent.name_spelling import as_read
from swarm.agent.opening import Opening, columns
from swarm.agent.quotes import passed_over, split_quotes, unquoted, with_quotes
from swarm.agent.summing import summed_first
from swarm.agent.turn import TEXT, Action, Cannot, Give, TurnRules, name_action, parse, spelled
from swarm.agent.unread import is_named
from swarm.agent.window import Window
from swarm.errors import ContextOverflow, Declined, MalformedReply
from swarm.nouns.messages import Message, Reply, Request, Role
from swarm.nouns.prompt import fill
from swarm.nouns.result import Evidence, Result
from swarm.nouns.tool import Row, Tool, ToolCall, ToolResult
from swarm.replies.evasion import declines, evasion, is_placeholder
from swarm.work.context import At, Work, ask, one_line, summarize
from swarm.work.effects import act

NOTHING = "(nothing)"
"""How an empty answer is shown: nothing at all reads as a fault."""
MOST_MALFORMED = 1
"""Replies in a row that are no turn and get a corrective one; the next ends the agent."""
EMPTY = "empty"
MOST_REFUSAL = 400
"""Characters of a tool's error that stand in the reason of an agent that ends after it."""


@dataclass
class Session:
    """One agent on one step, turn by turn. It is rebuilt from the journal on a resume."""

    work: Work
    assignment: Assignment
    opening: Opening
    turn: int = 0
    result: Result | None = None
    """Set when the agent is done."""
    _action: Action | None = None
    _messages: list[Message] = field(default_factory=list[Message])
    _malformed: int = 0
    _is_checked: bool = False
    _is_changed: bool = False
    """Whether the reply to this turn is recorded, and its question read otherwise then."""
    _evidence: list[tuple[str, int, str]] = field(default_factory=list[tuple[str, int, str]])
    """The tool, the turn and what was asked, of each call that gave something."""
    _files: list[str] = field(default_factory=list[str])
    _sources: list[str] = field(default_factory=list[str])
    _rows: dict[str, Sequence[Row]] = field(default_factory=dict[str, Sequence[Row]])
    _empty: bool = False
    _refused: dict[str, str] = field(default_factory=dict[str, str])
    """Files that could not be read, and that no call has worked on since, each with the reason."""
    _failure: str = ""
    """What the last call failed with; empty where it did not."""

    def __post_init__(self) -> None:
        self._messages = [
            Message(role="system", content=self.opening.system),
            Message(role="user", content=self.opening.user),
        ]
        self._rows = dict(self.opening.rows)
        self._sources = list(self.opening.sources)
        self._refused = dict(self.opening.refused)
        self._window = Window(self.work)
        self._progress = Progress(self._sources)
        self._border = Border.of(self.work.journal.run, is_queried=self.assignment.is_queried)

    @property
    def has_action(self) -> bool:
        """Whether the last reply asked for something that is not done yet."""
        return self._action is not None

    async def ask(self) -> None:
        """Ask the model what to do next; afterwards there is something to do, or a result.

        Raises:
            ModelError: the model gave no answer.
        """
        self.turn += 1
        if self.turn > self._most_turns:
            self._fail(self._after_refusal(f"not done after {self._most_turns} turns"))
            return
        if why := self._progress.end:
            self._fail(self._after_refusal(why))
            return
        rules = self._rules()
        reply = await self._reply(self._request(rules))
        try:
            self._action = await self._recorded_call() or self._read(reply, rules)
        except MalformedReply as error:
            self._say("assistant", reply.text)
            self._return(error)
        else:
            self._say("assistant", spelled(reply.text, self._action))
            self._malformed = 0

    def _read(self, reply: Reply, rules: TurnRules) -> Action:
        """What the reply asks for.

        Raises:
            MalformedReply: it is no turn, or was cut off, or words take the place of a result.
        """
        if reply.finish == "length":
            raise MalformedReply("the reply was cut off: answer in fewer words", reply.text)
        action = parse(self._border.without(reply.text), rules)
        if isinstance(action, Cannot) and is_placeholder(action.reason):
            raise MalformedReply("say in words why it cannot be done, or do it", reply.text)
        if isinstance(action, Give) and isinstance(action.data, str):
            asked = (self.assignment.brief, self.assignment.task)
            if why := evasion(action.data, *asked):
                raise Declined(why, reply.text)
        return action

    def _return(self, error: MalformedReply) -> None:
        """Give a reply back to be corrected, once; then the agent has failed, or the model has declined."""
        self._malformed += 1
        if self._malformed <= MOST_MALFORMED:
            self._correct(str(error))
        elif isinstance(error, Declined):
            self._decline(f"the model declined to work: {one_line(error.reply, 160)}")
        else:
            self._fail(f"no usable reply after a correction: {error}")

    async def _reply(self, request: Request) -> Reply:
        """The model's reply to the conversation, which is made shorter where it does not fit."""
        asked = await self._window.fit(request, self._at())
        digest = self.work.journal.question(self.assignment.thread, self.turn)
        self._is_changed = digest is not None and digest != asked.digest()
        try:
            reply = await ask(self.work, self._at(), asked, name_action=self._name)
        except ContextOverflow:
            asked = await self._window.fit(request, self._at(), refused=asked)
            reply = await ask(self.work, self._at(), asked, name_action=self._name)
        self._window.learn(asked, reply)
        if asked is not request:
            self._messages = list(asked.messages)
        return reply

    async def _recorded_call(self) -> ToolCall | None:
        """The call that a recorded turn made, where its prompt changed since: it is what it was, whatever tools
        there are now and however they take their arguments."""
        return await self.work.journal.ledger.called(self._at().call) if self._is_changed else None

    def _name(self, text: str) -> str:
        return name_action(text, self.opening.tools)

    async def act(self) -> None:
        """Do what the model asked for."""
        action, self._action = self._action, None
        if isinstance(action, ToolCall):
            await self._use(action)
        elif isinstance(action, Give):
            self._receive(action.data)
        elif isinstance(action, Cannot):
            give_up = self._decline if declines(action.reason) else self._fail
            give_up(f"the agent gave up: {action.reason}")

    @property
    def _most_turns(self) -> int:
        return self.assignment.card.limits.turns or self.work.limits.turns

    @property
    def _reply_tokens(self) -> int:
        return self.assignment.card.limits.reply_tokens or self.work.limits.reply_tokens

    def _rules(self) -> TurnRules:
        if self.assignment.is_queried:
            result: dict[str, JsonValue] | None = {"const": EMPTY} if self._empty else None
            return TurnRules(self.opening.tools, result, may_give_up=False)
        tools, expects = self.opening.tools, self.assignment.step.expects or TEXT
        return TurnRules(
            tools, with_quotes(expects) if self.opening.is_quoting else expects, may_give_up=bool(tools)
        )

    def _request(self, rules: TurnRules) -> Request:
        attempt = self.assignment.thread.attempt
        return Request(
            messages=tuple(self._messages),
            output_schema=rules.schema(),
            max_tokens=self._reply_tokens,
            temperature=0.0 if attempt <= 1 else 0.4,
            seed=attempt,
        ).within(self.work.limits)

    async def _use(self, call: ToolCall) -> None:
        times = self._progress.times(call)
        if times > MOST_REPEATS:
            self._fail(self._after_refusal(f"the agent repeats one call: {call.tool} {summarize(call)}"))
            return
        tool = next((tool for tool in self.opening.tools if tool.full_name == call.tool), _gone(call))
        if await self._is_made_up(call, tool):
            return
        result = await act(self.work, self._at(), tool, dict(call.args), self._rows)
        self._files += result.files
        # Of calls with an effect each is a step ahead, though all may be answered alike.
        has_effect = tool.effect != "pure" and not result.is_error
        self._progress.hear(f"{call.args}{result.text}" if has_effect else result.text)
        self._failure = (
            f"{call.tool} failed: {one_line(result.text, MOST_REFUSAL)}" if result.is_error else ""
        )
        if not result.is_error:
            self._evidence.append((tool.full_name, self.turn, summarize(call)))
            self._sources.append(result.text)
            # What was read at last, or moved unread as it was to be, lacks no more.
            told = json.dumps(call.args, ensure_ascii=False)
            self._refused = {path: why for path, why in self._refused.items() if not is_named(path, told)}
        if self.assignment.is_queried:
            self._receive_query(call, result)
            return
        text = await self._window.shorten(result.text, self._reply_tokens) if result.text.strip() else NOTHING
        nudge = "You have made this call before: use what it gave." if times > 1 else ""
        self._tell(f"{call.tool} {'failed' if result.is_error else 'gave'}:", text, nudge)

    async def _is_made_up(self, call: ToolCall, tool: Tool) -> bool:
        """Whether a call that may change something names what stands nowhere; its agent is told, and it is not made."""
        if tool.effect == "pure" or await self.work.journal.ledger.called(self._at().call):
            return False
        given = (self.assignment.task, self.assignment.brief, self.opening.deeds)
        made_up = invented(call.args, tool, Vouched((*given, *self._sources), self._rows.values()))
        if made_up:
            why = fill("invented", values=", ".join(made_up))
            self._failure = f"{call.tool} was not called: {why}"
            self._progress.idle()
            self._tell(f"{self._failure} Reply again with one JSON object.")
        return bool(made_up)

    def _receive_query(self, call: ToolCall, result: ToolResult) -> None:
        """Take the rows of a query as the result when they fit what the step must give."""
        if result.is_error:
            self._tell(f"{call.tool} failed: {one_line(result.text, 600)}", after="Correct the SQL.")
            return
        rows = [row for row in result.data if isinstance(row, dict)] if isinstance(result.data, list) else []
        self._rows[f"query_{self.turn}"] = rows
        self._empty = not rows
        if not rows:
            self._tell(fill("empty_query"))
            return
        fitted = fit(rows, columns(self.assignment.step.expects))
        if fitted is None:
            self._tell(self._unfit(rows))
            return
        repeated = repeated_key(fitted)
        if repeated and not self._is_checked:
            self._is_checked = True
            advice = summed_first(_sql(call), self._rows, repeated)
            self._tell(fill("repeated_rows", columns=", ".join(repeated), advice=advice))
            return
        doubt = (
            f"several rows have the same {', '.join(repeated)}, and the agent kept them" if repeated else ""
        )
        self._done([dict(row) for row in fitted], doubt)

    def _unfit(self, rows: list[Row]) -> str:
        wanted = ", ".join(columns(self.assignment.step.expects))
        return f"The query gave the columns {', '.join(rows[0])}. Give exactly: {wanted}. Name them with AS."

    def _receive(self, data: JsonValue) -> None:
        if data == EMPTY and self.assignment.is_queried:
            self._done([], is_checked=self._empty)
            return
        unread: list[str] = []
        left: list[str] = []
        if self.opening.is_quoting:
            data, quotes = split_quotes(data)
            unread, left = unquoted(quotes, self._sources), passed_over(quotes, self._sources)
        if self._must_stand_in_source():
            data = as_read(data, self._sources)
            # What the agent was given it need not have read: its brief, in which the item stands.
            known = ReadTexts([*self._sources, self.assignment.brief])
            unread += known.missing(data, self.assignment.step.expects)
        if (unread or left) and not self._is_checked:
            self._is_checked = True
            values = ", ".join(repr(value) for value in unread[:6])
            lines = "\n".join(left[:6])
            self._correct(fill("ungrounded", values=values) if unread else fill("passed_over", lines=lines))
            return
        reason = f"not found in what was read: {', '.join(unread)}" if unread else ""
        self._done(data, reason)

    def _must_stand_in_source(self) -> bool:
        schema = self.assignment.step.expects
        return bool(self._sources) and schema is not None and schema.get("type") in ("array", "object")

    def _done(self, data: JsonValue, reason: str = "", *, is_checked: bool = False) -> None:
        unread = [f"{path} could not be read: {one_line(why, 160)}" for path, why in self._refused.items()]
        reason = "; ".join([*([reason] if reason else []), *unread])
        self.result = Result(
            status="degraded" if reason else "done",
            text=summary(data),
            data=data,
            files=tuple(dict.fromkeys(self._files)),
            evidence=self._called(),
            reason=reason,
            is_checked=is_checked,
        )

    def _after_refusal(self, why: str) -> str:
        """Why the agent ends, behind what its last call failed with: that is what can be mended."""
        return f"{self._failure} ({why})" if self._failure else why

    def _fail(self, reason: str, refused_by: str = "") -> None:
        self.result = Result(
            status="failed",
            files=tuple(dict.fromkeys(self._files)),
            evidence=self._called(),
            reason=reason,
            refused_by=refused_by,
        )

    def _decline(self, reason: str) -> None:
        endpoint = self.work.model.endpoint
        self._fail(reason, endpoint.family or endpoint.model)

    def _correct(self, why: str) -> None:
        self._progress.idle()
        self._tell(f"That can't be used: {why}. Reply again with one JSON object.")

    def _tell(self, words: str, text: str = "", after: str = "") -> None:
        """Tells the agent something in words of ours, with a text of others between them."""
        ours, last = self._border.ours, (after, self._progress.nudge)
        parts = [
            ours(words),
            *([self._border.theirs(text)] if text else []),
            *(ours(one) for one in last if one),
        ]
        self._say("user", "\n".join(parts))

    def _say(self, role: Role, content: str) -> None:
        self._messages.append(Message(role, content))

    def _called(self) -> tuple[Evidence, ...]:
        thread = self.assignment.thread
        return tuple(
            Evidence(tool=tool, call=At(thread, turn).key, note=note) for tool, turn, note in self._evidence
        )

    def _at(self) -> At:
        return At(self.assignment.thread, self.turn)


def _gone(call: ToolCall) -> Tool:
    """The tool of a recorded call that the card has no more: of the class that nothing is done of again."""
    server, _, name = call.tool.partition(".")
    return Tool(server=server, name=name, description="")


def _sql(call: ToolCall) -> str:
    return str(call.args.get("sql", ""))


def fit(rows: list[Row], wanted: list[str]) -> list[Row] | None:
    """The rows with just the wanted columns in their order, or None when one is not there.

    One column of another name in the place of the one that lacks can only be that one.
    """
    names = {name.casefold(): name for name in rows[0]}
    lacking = [column for column in wanted if column.casefold() not in names]
    spare = [name for name in rows[0] if name.casefold() not in {column.casefold() for column in wanted}]
    if len(lacking) == len(spare) == 1:
        names[lacking[0].casefold()] = spare[0]
    elif lacking:
        return None
    return [{column: row.get(names[column.casefold()]) for column in wanted} for row in rows]


def repeated_key(rows: list[Row]) -> list[str]:
    """The text columns of rows that several rows share, or nothing when each row has its own.

    A join over a key that one side has many rows for, or a forgotten GROUP BY, looks like this.
    """
    texts = [name for name in rows[0] if all(isinstance(row[name], str | None) for row in rows)]
    keys = {tuple(row[name] for name in texts) for row in rows}
    return texts if texts and len(keys) < len(rows) else []


def summary(data: JsonValue) -> str:
    """A result in one line."""
    if isinstance(data, list):
        rows: list[Mapping[str, JsonValue]] = [row for row in data if isinstance(row, dict)]
        first = ", ".join(str(value) for value in rows[0].values()) if rows else ", ".join(map(str, data[:3]))
        return one_line(
            f"{len(data)} {'row' if len(data) == 1 else 'rows'}{': ' if data else ''}{first}", 120
        )
    return one_line(data if isinstance(data, str) else json.dumps(data, ensure_ascii=False), 200)
