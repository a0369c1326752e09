"""The planner: a task in plain words becomes a plan that can run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from swarm.errors import ModelError, ModelUnavailable, PlanError
from swarm.nouns.card import AgentCard
from swarm.nouns.events import PlanMade
from swarm.nouns.messages import Message, Request
from swarm.nouns.plan import Plan, Step, Thread
from swarm.nouns.prompt import fill, text
from swarm.planner.check import PLANNER, problems
from swarm.planner.draft import Draft, draft_schema, files_to_write, to_plan
from swarm.planner.omissions import omissions
from swarm.planner.reach import GENERALIST, alone, out_of_reach
from swarm.planner.tidy import Draftable, tidy
from swarm.survey import Survey
from swarm.work.context import At, Work, ask

PLAN_TOKENS = 900


@dataclass(frozen=True)
class Planning:
    """What the planner plans with."""

    work: Work
    task: str
    survey: Survey
    cards: Mapping[str, AgentCard]

    @property
    def agents(self) -> dict[str, AgentCard]:
        """The roles that a plan may use. Those that write programs are given whole tasks, before there is a plan."""
        named = {name: card for name, card in self.cards.items() if name != PLANNER}
        return {name: card for name, card in named.items() if card.works != "program"}

    @property
    def team(self) -> str:
        """The roles, one a line. The generalist is for what needs no plan, and named where it alone has servers."""
        hidden = () if alone(self.agents) else (GENERALIST,)
        named = [card for name, card in self.agents.items() if name not in hidden]
        return "\n".join(f"- {card.name}: {card.description}" for card in named)


async def make_plan(planning: Planning) -> PlanMade:
    """A plan: drafted, mended and checked; after one failed repair, one generalist does it all. So it does where
    the steps are with roles that reach nothing of what the task is about.

    Raises:
        ModelUnavailable: the model server is gone.
    """
    thread = Thread(run=planning.work.journal.run.id, step="_plan")
    made = await _converse(planning, thread, _opening(planning))
    why = out_of_reach(made.plan, planning.task, planning.agents, planning.survey)
    if not why or made.origin == "template":
        return made
    files = files_to_write(planning.task, planning.survey.paths)
    return PlanMade(plan=template(planning.task, files), origin="direct", note=why)


async def _converse(planning: Planning, thread: Thread, messages: list[Message]) -> PlanMade:
    files = files_to_write(planning.task, planning.survey.paths)
    schema = draft_schema(sorted(planning.agents), planning.survey.patterns, files)
    best: tuple[int, PlanMade] | None = None
    note = ""
    for turn in (1, 2):
        request = Request(messages=tuple(messages), output_schema=schema, max_tokens=PLAN_TOKENS)
        try:
            reply = await ask(planning.work, At(thread, turn), request.within(planning.work.limits))
        except ModelUnavailable:
            raise
        except ModelError as error:
            note = str(error)
            break
        try:
            made = PlanMade(plan=_read(reply.text, planning))
        except PlanError as error:
            note = str(error)
            said = fill("repair", problems=_listed(error.problems))
        else:
            omitted = omissions(made.plan, planning.task, planning.survey)
            if best is None or len(omitted) < best[0]:
                best = len(omitted), made
            if not omitted:
                break
            said = fill("omitted", problems=_listed(omitted))
        answer = Message(role="assistant", content=reply.text)
        messages = [*messages, answer, Message(role="user", content=said)]
    if best is not None:
        return best[1]
    return PlanMade(plan=template(planning.task, files), origin="template", note=note)


def _listed(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def template(task: str, files: list[str]) -> Plan:
    """The plan that always works: one agent that does it all."""
    writes = files[0] if len(files) == 1 else None
    return Plan(
        steps=(Step(id="task", agent=GENERALIST, brief=task.replace("{item}", "item"), writes=writes),)
    )


def _read(text: str, planning: Planning) -> Plan:
    """The plan in a reply.

    Raises:
        PlanError: it can't run here.
    """
    try:
        draft = Draft.model_validate_json(text)
        plan = to_plan(tidy(draft, Draftable(planning.task, planning.survey, planning.agents)))
    except ValidationError as error:
        first = error.errors()[0]
        raise PlanError([f"{'.'.join(map(str, first['loc']))}: {first['msg']}"]) from error
    if found := problems(plan, planning.agents, planning.survey):
        raise PlanError(found)
    return plan


def _opening(planning: Planning) -> list[Message]:
    system = fill("plan", instructions=planning.cards[PLANNER].instructions, team=planning.team)
    seen = planning.survey.lines(planning.work.model.endpoint.window)
    last = Message(role="user", content=f"{seen}\nTask: {planning.task}")
    return [Message(role="system", content=system), *examples("plan_examples"), last]


def examples(name: str) -> list[Message]:
    """Questions and their answers from a prompt of examples."""
    messages: list[Message] = []
    for block in text(name).split("\n---\n"):
        question, _, answer = block.partition("\n=>\n")
        messages += [
            Message(role="user", content=question.strip()),
            Message(role="assistant", content=answer.strip()),
        ]
    return messages
