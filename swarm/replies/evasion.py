"""Texts that stand where a result should and are none: refusals, deflections, the task retold.

First of all the contract tells: a turn that owed a call or a typed value and gave prose. These
phrases are for what slips through it, a text given as the result of a step that asks for text.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

ALIKE = 0.85
"""Of the words, in their order, that make a text the retelling of another."""
FEWEST_WORDS = 6
"""Shorter texts are too easily part of the task's words by chance."""

PLACEHOLDERS = frozenset({
    "",
    "why",
    "reason",
    "the reason",
    "cannot",
    "because",
    "why not",
    "text",
    "string",
})
"""What stands for a reason and is none, the word of our own prompt first of all."""

_WORD = re.compile(r"[^\W_]+")
_CANNOT = (
    r"(?:can(?:not| not|[\u2019']t)|could(?: not|n[\u2019']t)|won[\u2019']t|will not|must decline to"
    r"|(?:(?:am|[\u2019']m) )?(?:not able|unable) to)"
)
_WORK = (
    r"(?:access|answer|assist|browse|complete|comply|continue|create|discuss|do|execute|fulfil|generate|give|help|open"
    r"|perform|proceed|process|provide|read|run|share|write)"
)
_SORRY = (
    r"\W*(?:(?:(?:i am|i[\u2019']m)? ?(?:\w+ )?sorry|i apologi[sz]e|unfortunately|no)\b(?: for [^.,]{1,40})?\W+)?"
    r"(?:but )?"
)
_DECLINES = re.compile(
    rf"{_SORRY}i ?{_CANNOT}\s+(?:\w+\s+)?{_WORK}\b"
    rf"|{_SORRY}i (?:do not|don[\u2019']t) have (?:any |direct )?(?:access|the ability|tools?|a tool)\b"
    r"|\W*as an? (?:ai|artificial intelligence|language model|(?:text|large language) model)\b",
    re.IGNORECASE,
)
_PUTS_OFF = re.compile(
    r"\W*(?:(?:sure|certainly|of course|okay|ok|great)\b[^.!?\n]{0,20}[.!,]\s*)?"
    r"(?:that[\u2019']?s a great question|let me know|to do this,? you"
    r"|i(?:[\u2019']d| would) be (?:happy|glad) to (?:help|assist|do|look|start|work)\b"
    r"|(?:let me|i(?:[\u2019']ll| will)|i(?:[\u2019']m| am) going to|i(?: first)? need to)(?: now| first| then)*"
    r" (?:begin|call|check|fetch|find|help|list|look|open|query|read|search|start|use)\b)",
    re.IGNORECASE,
)


def evasion(text: str, *asked: str) -> str:
    """What is wrong with a text as the result of what was asked, for the model; empty when nothing is."""
    if declines(text):
        return "that is no result but a refusal"
    if _PUTS_OFF.match(text):
        return "that is no result but an announcement: do it, and give what came of it"
    if any(_is_retold(text, one) for one in asked):
        return "that only repeats what is asked: do it, and give what came of it"
    return ""


def is_placeholder(reason: str) -> bool:
    """Whether a reason is only the word that stands for one where it is asked for."""
    return reason.strip(" \t\n\"'<>()[]{}.…?!:-").casefold() in PLACEHOLDERS


def declines(text: str) -> bool:
    """Whether a text refuses the work."""
    return _DECLINES.match(text) is not None


def _is_retold(text: str, asked: str) -> bool:
    said, wanted = ([word.casefold() for word in _WORD.findall(one)] for one in (text, asked))
    # A retelling begins as the task does; a text that the task holds and asks to be corrected does not.
    if len(said) < FEWEST_WORDS or said[:3] not in (wanted[:3], wanted[1:4]):
        return False
    return SequenceMatcher(None, said, wanted, autojunk=False).ratio() >= ALIKE
