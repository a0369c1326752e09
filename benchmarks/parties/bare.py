"""The bare loop: litellm and the MCP client called straight, nothing stored."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from benchmarks.parties.meter import MODEL, SERVER, SYSTEM, TASK, Job, Meter

SCHEMA = {
    "anyOf": [
        {
            "type": "object",
            "properties": {
                "tool": {"const": "lines.read"},
                "args": {
                    "type": "object",
                    "properties": {"number": {"type": "integer"}},
                    "required": ["number"],
                    "additionalProperties": False,
                },
            },
            "required": ["tool", "args"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"result": {"type": "string", "minLength": 1}},
            "required": ["result"],
            "additionalProperties": False,
        },
    ]
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "reply", "schema": SCHEMA, "strict": True}}


async def work(job: Job, client: Any, meter: Meter) -> None:
    """One agent: ask, call the tool, until the result."""
    import litellm

    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": TASK}]
    for _ in range(job.turns):
        meter.mark()
        response: Any = await litellm.acompletion(
            model=f"hosted_vllm/{MODEL}",
            api_base=f"{job.url}/v1",
            api_key="none",
            messages=messages,
            response_format=FORMAT,
            max_tokens=1_024,
            temperature=0.0,
            seed=1,
            num_retries=0,
        )
        text = response.choices[0].message.content
        turn = json.loads(text)
        messages.append({"role": "assistant", "content": text})
        if "result" in turn:
            return
        result = await client.call_tool("read", turn["args"])
        messages.append({"role": "user", "content": result.content[0].text})


async def main() -> None:
    """Runs all agents at once and reports."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    from mcp import Client, StdioServerParameters

    job = Job.asked()
    meter = Meter()
    async with Client(StdioServerParameters(command=sys.executable, args=["-P", str(SERVER)])) as client:
        await work(Job(job.url, 1, 2), client, Meter())
        meter.begin()
        await asyncio.gather(*(work(job, client, meter) for _ in range(job.agents)))
        meter.end()
    meter.report()


if __name__ == "__main__":
    asyncio.run(main())
