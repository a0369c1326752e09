"""Choosing among what several programs for one step left: by agreement, in what is said and not how.

A weak model that is asked several times is right now and then; wrong programs are wrong in many ways and rarely
agree. So the largest class that agrees is taken, and what share it has is part of the result.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from swarm.nouns.tool import ToolCall
from swarm.program.checks import hollow
from swarm.program.contents import Contents, canonical, contents, numbers, words
from swarm.program.outcome import Outcome
from swarm.work.context import one_line

QUERY = "select"
"""How the names of ways begin that ask for queries over tables which code has joined."""
NUMBERS_ALONE = "the programs agree on the numbers and not on the words"
SURE = 0.6
"""Share of all candidates, those that are ruled out too, that must agree for a result without a doubt."""
TIED = "as many programs agree on something else"


@dataclass(frozen=True)
class Ballot:
    """One candidate: its number, from 1, what came of it, and why that is ruled out, if it is."""

    number: int
    outcome: Outcome
    faults: tuple[str, ...] = ()
    way: str = ""
    """How it was asked for, where candidates were asked for in several ways."""

    @property
    def kind(self) -> str:
        """What it is: a query, in whatever words it was asked for, or another program."""
        return QUERY if self.way.startswith(QUERY) else self.way

    @property
    def is_valid(self) -> bool:
        """Whether no check rules it out."""
        return not self.faults


@dataclass(frozen=True)
class Election:
    """What the candidates chose."""

    winner: Ballot | None
    """The candidate whose outcome is taken; None where none is."""
    agreeing: int
    """How many left the same."""
    of: int
    """How many there were."""
    doubt: str = ""
    """Why the winner is not beyond doubt; empty where it is."""


def choose(ballots: Sequence[Ballot], enough: int) -> Election:
    """The choice of these candidates, ``enough`` of whom must agree."""
    if enough == 1 and len(ballots) == 1:
        (one,) = ballots
        return Election(one, 1, 1) if one.is_valid else Election(None, 0, 1, one.faults[0])
    valid = [ballot for ballot in ballots if ballot.is_valid]
    full = [ballot for ballot in valid if not hollow(ballot.outcome)]
    for form, doubt in ((_whole, ""), (_worded, ""), (_numbered, NUMBERS_ALONE)):
        largest, is_tied = _largest(full, form)
        if len(largest) >= enough:
            return _taken(largest, len(ballots), doubt or (TIED if is_tied else _few(largest, ballots)))
    if not full and len(largest := _largest(valid, _whole)[0]) >= enough:
        parts = ", ".join(hollow(largest[0].outcome))
        return _taken(largest, len(ballots), f"{parts} came out empty or zero")
    if len(full) == 1 and len(ballots) > 1:
        return Election(full[0], 1, len(ballots), f"only one of {len(ballots)} programs came to a usable end")
    return Election(None, len(_largest(full, _whole)[0]), len(ballots), _unsure(ballots, full))


def is_decided(ballots: Sequence[Ballot], enough: int) -> bool:
    """Whether no further candidate is needed."""
    full = [ballot for ballot in ballots if ballot.is_valid and not hollow(ballot.outcome)]
    forms = (_largest(full, form) for form in (_whole, _worded))
    return any(
        len(largest) >= enough and not is_tied and not _few(largest, ballots) for largest, is_tied in forms
    )


def _few(largest: Sequence[Ballot], ballots: Sequence[Ballot]) -> str:
    """Why so many that agree are too few, in words; empty where they are not.

    A small model makes the same mistake again and again when it is asked in the same way, and when it looks at the
    same tables, so that agreement of a query and a program counts, by half of those that no check rules out; where
    programs alone were asked for, that of most.
    """
    few = f"only {len(largest)} of {len(ballots)} programs agree"
    if len({ballot.kind for ballot in largest}) > 1:
        return "" if 2 * len(largest) >= sum(ballot.is_valid for ballot in ballots) else few
    kinds = {ballot.kind for ballot in ballots}
    if len(kinds) > 1:
        return f"{few}, all of them written in one way"
    if kinds == {QUERY}:
        return f"{few}, and all of them are queries over the same tables"
    return "" if len(largest) >= SURE * len(ballots) else few


def _largest(ballots: Sequence[Ballot], form: Callable[[Outcome], str]) -> tuple[list[Ballot], bool]:
    """The largest class of candidates that left the same, and whether another is as large; of classes of one size
    that of the first candidate."""
    forms = {ballot.number: form(ballot.outcome) for ballot in ballots}
    if not forms:
        return [], False
    (most, count), *rest = Counter(forms.values()).most_common(2)
    is_tied = any(other == count for _, other in rest)
    return [ballot for ballot in ballots if forms[ballot.number] == most], is_tied


def _whole(outcome: Outcome) -> str:
    """What an outcome leaves, in canonical form; its answer where it leaves nothing."""
    return _left(outcome, canonical)


def _worded(outcome: Outcome) -> str:
    """The same, with the words of texts in whatever order and with whatever small words between them."""
    return _left(outcome, lambda found: words(found) if isinstance(found, str) else canonical(found))


def _numbered(outcome: Outcome) -> str:
    """The same, with the numbers of texts alone; a text without one as it is."""
    return _left(
        outcome,
        lambda found: ([*numbers(found)] or words(found)) if isinstance(found, str) else canonical(found),
    )


def _left(outcome: Outcome, form: Callable[[Contents], JsonValue]) -> str:
    left: dict[str, JsonValue] = {
        name: form(contents(name, left.text)) if left.text is not None else {"data": left.after}
        for name, left in outcome.files.items()
    }
    wishes: list[JsonValue] = [*sorted(_wish(call) for call in outcome.wishes)]
    said = form(outcome.said) if not (left or wishes) else None
    return json.dumps([left, wishes, said], ensure_ascii=False, sort_keys=True)


def _wish(call: ToolCall) -> str:
    return json.dumps([call.tool, canonical(call.args)], ensure_ascii=False, sort_keys=True)


def _taken(largest: list[Ballot], of: int, doubt: str = "") -> Election:
    """The member whose answer most of its class share, and the doubt where they answer differently."""
    answers = {ballot.number: _answer(ballot.outcome.said) for ballot in largest}
    counted = Counter(answer for answer in answers.values() if answer)
    if not counted:
        return Election(largest[0], len(largest), of, doubt)
    (most, times), *rest = counted.most_common(2)
    winner = next(ballot for ballot in largest if answers[ballot.number] == most)
    has_left = bool(winner.outcome.files or winner.outcome.wishes)
    kinds = {ballot.kind for ballot in largest if answers[ballot.number] == most}
    is_split = bool(rest) and (times == rest[0][1] or len(kinds) < len({ballot.kind for ballot in largest}))
    if not doubt and has_left and is_split:
        doubt = "the programs agree on the files and not on the answer"
    return Election(winner, len(largest), of, doubt)


def _answer(said: JsonValue) -> str:
    if said is None:
        return ""
    return json.dumps(words(said) if isinstance(said, str) else canonical(said), sort_keys=True)


def _unsure(ballots: Sequence[Ballot], full: Sequence[Ballot]) -> str:
    """Why nothing was chosen, with what each candidate left."""
    shown = "; ".join(f"{ballot.number}: {brief(ballot)}" for ballot in ballots)
    if not full:
        return f"none of {len(ballots)} programs came to a usable end: {shown}"
    return f"unsure: {len(full)} of {len(ballots)} programs came to an end, and no two of them agree: {shown}"


def brief(ballot: Ballot) -> str:
    """What a candidate left, or why it is ruled out, in a few words."""
    if ballot.faults:
        return one_line(ballot.faults[0], 160)
    outcome = ballot.outcome
    parts = [f"{name} ({one_line(left.text or '', 60)})" for name, left in outcome.files.items()]
    parts += [f"{call.tool} {json.dumps(call.args, ensure_ascii=False)}" for call in outcome.wishes[:3]]
    if outcome.said is not None:
        parts.append(json.dumps(outcome.said, ensure_ascii=False))
    return one_line(", ".join(parts), 160)
