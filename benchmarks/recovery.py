"""Proves that what weak models print becomes the turn that was meant, and never a call that was not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import JsonValue

from benchmarks.proof import Figure, Findings, Proof, prove
from swarm.agent.turn import Action, Cannot, Give, TurnRules, parse
from swarm.errors import MalformedReply
from swarm.nouns.tool import Tool

CORPUS = Path(__file__).parent / "corpus"
LEAST_REPLIES, LEAST_RECOVERED = 200, 0.95
FAILURE = "failure"

PROOF = Proof(
    name="recovery",
    claim="Replies in the dialects and with the faults of public bug reports become the turn that was meant; a call that was only mentioned, quoted, thought of or cut off does not.",
    bar=f"at least {LEAST_REPLIES} replies; of those with a turn in them ≥ {LEAST_RECOVERED:.0%} recovered, no call invented, every other one a typed failure; no beginning of a reply becomes another call than the whole",
)


@dataclass(frozen=True)
class Case:
    """One malformed reply of the corpus."""

    dialect: str
    source: str
    """The public report of a reply of this shape: owner/repository#number."""
    turn: str
    """What the turn may be: a name in ``turns.json``."""
    text: str
    expected: JsonValue
    """The turn that was meant, or ``failure``."""


def cases() -> list[Case]:
    """The corpus, in the order of its file."""
    lines = (CORPUS / "malformed_replies.jsonl").read_text(encoding="utf-8").splitlines()
    return [Case(**json.loads(line)) for line in lines]


@cache
def rules(turn: str) -> TurnRules:
    """What a turn of that name may be."""
    turns = json.loads((CORPUS / "turns.json").read_text(encoding="utf-8"))
    tools = tuple(_tool(name, schema) for name, schema in turns[turn]["tools"].items())
    return TurnRules(tools, turns[turn]["result"], may_give_up=bool(tools))


def _tool(full_name: str, schema: dict[str, JsonValue]) -> Tool:
    server, name = full_name.split(".")
    return Tool(server=server, name=name, description=f"{name} of {server}", input_schema=schema)


def outcome(text: str, turn: str) -> JsonValue:
    """The turn made of a reply, or ``failure``; what is no typed failure passes through."""
    try:
        return _as_turn(parse(text, rules(turn)))
    except MalformedReply:
        return FAILURE


def _as_turn(action: Action) -> JsonValue:
    match action:
        case Give(data):
            return {"result": data}
        case Cannot(reason):
            return {"cannot": reason}
        case _:
            return {"tool": action.tool, "args": action.args}


def is_same(turn: JsonValue, other: JsonValue) -> bool:
    """Whether two turns are the same to the last type: 1, 1.0 and true are three things."""
    return json.dumps(turn, sort_keys=True) == json.dumps(other, sort_keys=True)


def invented_from_beginnings(case: Case) -> Iterator[str]:
    """Beginnings of a recoverable reply that became another turn than the whole: calls nobody made."""
    for length in range(len(case.text)):
        turn = outcome(case.text[:length], case.turn)
        if turn != FAILURE and not is_same(turn, case.expected):
            yield case.text[:length]


def judged(case: Case) -> str:
    """``recovered``, ``missed`` or ``wrong`` where there is a turn to recover; else ``failed`` or ``invented``."""
    turn = outcome(case.text, case.turn)
    if case.expected == FAILURE:
        return "failed" if turn == FAILURE else "invented"
    if turn == FAILURE:
        return "missed"
    return "recovered" if is_same(turn, case.expected) else "wrong"


def measure() -> Findings:
    """Reads every reply of the corpus, and every beginning of those that hold a turn."""
    corpus = cases()
    verdicts = Counter(judged(case) for case in corpus)
    recoverable = [case for case in corpus if case.expected != FAILURE]
    cut = [text for case in recoverable for text in invented_from_beginnings(case)]
    share = verdicts["recovered"] / len(recoverable)
    figures: dict[str, Figure] = {
        "replies": len(corpus),
        "reports they follow": len({case.source for case in corpus}),
        "with a turn in them": len(recoverable),
        "recovered": f"{verdicts['recovered']} ({share:.1%})",
        "of them typed failures": verdicts["missed"],
        "without one": len(corpus) - len(recoverable),
        "calls invented": verdicts["invented"] + verdicts["wrong"],
        "beginnings of replies tried": sum(len(case.text) for case in recoverable),
        "calls invented from them": len(cut),
    }
    faults = [f"{len(corpus)} replies, and {LEAST_REPLIES} should be"] if len(corpus) < LEAST_REPLIES else []
    faults += [f"{share:.1%} were recovered"] if share < LEAST_RECOVERED else []
    faults += [f"{text!r} became a call" for text in _invented(corpus) + cut]
    return Findings(figures, faults, _by_dialect(corpus))


def _invented(corpus: list[Case]) -> list[str]:
    return [case.text for case in corpus if judged(case) in ("invented", "wrong")]


def _by_dialect(corpus: list[Case]) -> list[dict[str, Figure]]:
    rows: list[dict[str, Figure]] = []
    for dialect in dict.fromkeys(case.dialect for case in corpus):
        verdicts = Counter(judged(case) for case in corpus if case.dialect == dialect)
        row: dict[str, Figure] = {"dialect": dialect, "replies": verdicts.total()}
        for name in ("recovered", "missed", "failed", "wrong", "invented"):
            row[name] = verdicts[name]
        rows.append(row)
    return rows


if __name__ == "__main__":
    prove(PROOF, measure)
