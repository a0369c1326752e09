"""LangGraph's agent as its documentation builds it: ``create_agent``, a chat model, no saver."""

# pyright: reportUnknownVariableType=false
# langchain's own annotations are not complete; mypy checks how it is called.
from __future__ import annotations

import asyncio
import sys
from typing import Any

from benchmarks.parties.meter import MODEL, SERVER, SYSTEM, TASK, Job, Meter


async def main() -> None:
    """Runs all agents at once and reports."""
    from langchain.agents import create_agent
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from mcp import Client, StdioServerParameters
    from pydantic import SecretStr

    job = Job.asked()
    meter = Meter()
    async with Client(StdioServerParameters(command=sys.executable, args=["-P", str(SERVER)])) as client:

        @tool
        async def read(number: int) -> str:
            """Read a line."""
            meter.mark()
            result: Any = await client.call_tool("read", {"number": number})
            return str(result.content[0].text)

        model = ChatOpenAI(model=MODEL, base_url=f"{job.url}/v1", api_key=SecretStr("none"), max_retries=0)
        agent: Any = create_agent(model=model, tools=[read], system_prompt=SYSTEM)
        asked = {"messages": [{"role": "user", "content": TASK}]}
        bound = {"recursion_limit": 3 * job.turns + 10}
        await agent.ainvoke(asked, bound)
        meter.marks.clear()
        meter.begin()
        await asyncio.gather(*(agent.ainvoke(asked, bound) for _ in range(job.agents)))
        meter.end()
    meter.report()


if __name__ == "__main__":
    asyncio.run(main())
