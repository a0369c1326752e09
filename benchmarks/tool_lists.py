"""Tool lists that others published: every tool can be offered, and called with what its schema asks for.

``tests/hub/corpus/tool_lists.jsonl.gz`` holds what packages of npm and PyPI answered to ``tools/list``, descriptions
shortened. The arguments are made from the published schemas by ``benchmarks/arguments.py``, which
shares nothing with the code that is judged.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic import JsonValue

from benchmarks.arguments import fits, full, minimal, spoiled
from benchmarks.proof import ROOT, Figure, Findings, Proof, prove
from swarm.agent.turn import TurnRules, parse
from swarm.errors import MalformedReply
from swarm.hub.tools.schema import Arguments, BadSchema, Trimmer
from swarm.models.grammars.schemas import Schema, translated
from swarm.nouns.tool import Tool
from swarm.testing.grammar import refusal

CORPUS = ROOT / "tests" / "hub" / "corpus" / "tool_lists.jsonl.gz"
FEWEST_LISTS = 120
FEWEST_ACCEPTED = 0.99

PROOF = Proof(
    name="tool_lists",
    claim="every tool of published servers can be offered and called, under grammars that a server takes",
    bar=(
        f"at least {FEWEST_LISTS} published lists; of all tools at least 99 % offered, the others by name and reason; "
        "of arguments that their schemas admit at least 99 % pass, and of those that they refuse at least 99 % do not; "
        "each grammar is taken by llama.cpp and its double alike"
    ),
)


@dataclass(frozen=True)
class Published:
    """A tool of a published list."""

    package: str
    tool: str
    schema: Schema

    @property
    def place(self) -> str:
        """Where it is from, for people."""
        return f"{self.package} {self.tool}"


def published(path: Path = CORPUS) -> Iterator[Published]:
    """All tools of the corpus."""
    for line in gzip.decompress(path.read_bytes()).decode("utf-8").splitlines():
        listed = json.loads(line)
        for tool in listed["tools"]:
            yield Published(f"{listed['name']} {listed['version']}", tool["name"], tool["inputSchema"])


@dataclass
class Judged:
    """What became of one tool."""

    reason: str = ""
    """Why it is not offered."""
    calls: int = 0
    refused: tuple[str, ...] = ()
    """Calls that its schema admits and we do not."""
    wrong_calls: int = 0
    let_through: tuple[str, ...] = ()
    """Calls that its schema refuses and we do not."""
    grammar: Schema | None = None
    said: str = ""
    """What the scripted server has against its grammar."""


def judged(one: Published) -> Judged:
    """Offers the tool and calls it with what its schema asks for."""
    try:
        shown = Trimmer(one.schema).trimmed()
        arguments = Arguments(one.schema)
    except BadSchema as error:
        return Judged(reason=str(error))
    tool = Tool(server="s", name="t", description="d", input_schema=shown)
    rules = TurnRules((tool,), {"type": "string"})
    grammar = translated(rules.schema())
    made = [args for args in (minimal(one.schema), full(one.schema)) if fits(one.schema, args)]
    refused = [why for args in made if (why := _refused(args, rules, arguments))]
    wrong = [args for right in made[:1] for args in spoiled(one.schema, right) if not fits(one.schema, args)]
    through = [json.dumps(args) for args in wrong if not _refused(args, rules, arguments)]
    return Judged(
        calls=len(made),
        refused=tuple(refused),
        wrong_calls=len(wrong),
        let_through=tuple(through),
        grammar=grammar,
        said=refusal(grammar),
    )


def _refused(args: dict[str, JsonValue], rules: TurnRules, arguments: Arguments) -> str:
    try:
        call = parse(json.dumps({"tool": "s.t", "args": args}), rules)
    except MalformedReply as error:
        return f"{error} for {json.dumps(args)[:200]}"
    given = cast("dict[str, JsonValue]", getattr(call, "args", {}))
    return arguments.problem(given)


async def _refused_by_llama(grammars: list[tuple[str, Schema]]) -> list[str]:
    """Grammars of which the installed llama.cpp and the scripted server say different things."""
    import httpx

    from swarm.models.embedded.catalog import entry
    from swarm.models.embedded.download import pull
    from swarm.models.embedded.server_process import open_embedded

    faults: list[str] = []
    name = "smollm2-135m-instruct"
    async with (
        open_embedded(pull(entry(name)), name, slots=1, window=512) as endpoint,
        httpx.AsyncClient(base_url=endpoint.url, trust_env=False, timeout=300) as client,
    ):
        for place, schema in grammars:
            form = {"type": "json_schema", "json_schema": {"name": "turn", "schema": schema}}
            body = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1, "response_format": form}
            answer = await client.post("/v1/chat/completions", json=body)
            if answer.status_code != 200 or refusal(schema):
                faults.append(f"{place}: llama.cpp: {answer.text[:200]}; its double: {refusal(schema)}")
    return faults


def measure(*, is_quick: bool = False) -> Findings:
    """Judges every tool; a quick measure asks no real server."""
    tools = list(published())
    results = [(one, judged(one)) for one in tools]
    left_out = [(one, result) for one, result in results if result.reason]
    refused = [f"{one.place}: {why}" for one, result in results for why in result.refused]
    calls = sum(result.calls for _, result in results)
    without_call = sum(not result.calls for _, result in results if not result.reason)
    doubted = [f"{one.place}: {result.said}" for one, result in results if result.said]
    grammars = {json.dumps(result.grammar): one.place for one, result in results if result.grammar}
    asked = [] if is_quick else [(place, json.loads(text)) for text, place in grammars.items()]
    differing = asyncio.run(_refused_by_llama(asked)) if asked else []
    wrong = sum(result.wrong_calls for _, result in results)
    through = [f"{one.place}: {args}" for one, result in results for args in result.let_through]
    faults = [*doubted, *differing]
    packages = len({one.package for one in tools})
    if packages < FEWEST_LISTS:
        faults.append(f"{packages} lists are too few")
    if len(left_out) > math.floor((1 - FEWEST_ACCEPTED) * len(tools)):
        faults.append(f"{len(left_out)} of {len(tools)} tools are left out")
    if len(refused) > (1 - FEWEST_ACCEPTED) * calls:
        faults.append(f"{len(refused)} of {calls} calls are refused")
    if len(through) > (1 - FEWEST_ACCEPTED) * wrong:
        faults.append(f"{len(through)} of {wrong} wrong calls are let through")
    figures: dict[str, Figure] = {
        "published lists": packages,
        "tools": len(tools),
        "offered": len(tools) - len(left_out),
        "refused by name": len(left_out),
        "calls that a schema admits": calls,
        "of these passed": calls - len(refused),
        "calls that a schema refuses": wrong,
        "of these refused": wrong - len(through),
        "offered tools for which no call could be made up": without_call,
        "different grammars": len(grammars),
        "of these taken by llama.cpp and its double": len(asked) - len(differing),
    }
    reasons = Counter(result.reason for _, result in left_out)
    figures |= {f"refused: {reason}": count for reason, count in reasons.items()}
    details: list[dict[str, Figure]] = [
        {"left out": f"{one.place}: {result.reason}"} for one, result in left_out
    ]
    details.extend({"call refused": text[:300]} for text in refused)
    details.extend({"wrong call let through": text[:300]} for text in through)
    return Findings(figures, faults, details)


def main() -> None:
    """Proves it, or exits with 1; with ``--quick`` it asks no real server and records nothing."""
    if "--quick" in sys.argv:
        found = measure(is_quick=True)
        print(json.dumps(found.figures, indent=2))
        raise SystemExit("\n".join(found.faults) or 0)
    prove(PROOF, measure)


if __name__ == "__main__":
    main()
