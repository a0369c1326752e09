"""Our side of the overhead proof: a run with its journal, its checkpoints and a real tool server."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.parties.meter import MODEL, SERVER, SYSTEM, TASK, Job, Meter
from benchmarks.runs import NO_SERVERS
from swarm import Plan, Run, Step, Swarm
from swarm.models.client.litellm import LitellmModel
from swarm.models.model import Endpoint
from swarm.nouns.messages import Reply, Request

CARD = f"""---
description: Reads lines.
tools: [lines.read]
limits:
  turns: 5000
---
{SYSTEM}
"""


@dataclass
class Metered:
    """The model, with a mark at each call of an agent (the run's answer is one message alone)."""

    model: LitellmModel
    meter: Meter

    @property
    def endpoint(self) -> Endpoint:
        """As the model's."""
        return self.model.endpoint

    async def reply(self, request: Request) -> Reply:
        """As the model's."""
        is_turn = len(request.messages) > 1
        if is_turn:
            self.meter.mark()
        reply = await self.model.reply(request)
        if is_turn:
            self.meter.end()
        return reply


def project() -> Path:
    """A new project with the role and the tool server."""
    folder = Path(mkdtemp(prefix="overhead-"))
    for part in ("agents", "mcp_servers", "data"):
        (folder / part).mkdir()
    (folder / "agents" / "liner.md").write_text(CARD, encoding="utf-8")
    (folder / "swarm.toml").write_text(NO_SERVERS + '[workspace]\npath = "data"\n', encoding="utf-8")
    shutil.copy(SERVER, folder / "mcp_servers" / "lines.py")
    return folder


def plan_of(agents: int) -> Plan:
    """Steps that need nothing: all run at once."""
    return Plan(
        steps=tuple(Step(id=f"s{number}", agent="liner", brief=TASK) for number in range(1, agents + 1))
    )


async def main() -> None:
    """One warm run, then the measured one, and the report."""
    job = Job.asked()
    meter = Meter()
    endpoint = Endpoint(kind="vllm", model=MODEL, url=job.url, slots=max(job.agents, 1), window=1_000_000)
    folder = project()
    try:
        async with LitellmModel(endpoint) as model, Swarm.open(folder, model=Metered(model, meter)) as swarm:
            warm: Run[str] = await swarm.start(TASK, plan=plan_of(1))
            await warm.answer()
            meter.marks.clear()
            run: Run[str] = await swarm.start(TASK, plan=plan_of(job.agents))
            meter.begin()
            answer = await run.answer()
    finally:
        shutil.rmtree(folder)
    if answer.status != "done":
        raise SystemExit(f"the run is {answer.status}: {answer.missing}")
    meter.report()


if __name__ == "__main__":
    asyncio.run(main())
