"""What a phrase of a task is about, as far as its sentence tells: which file and which of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

MOST_READ = 20_000
"""Characters of a task that are looked at."""
MOST_BEHIND = 200
"""Characters behind a phrase that are looked at for what it is said of."""
MOST_PLACES = 40
"""Places of a sentence that are looked at."""
_SENTENCE = re.compile(r"(?<=[.?!;])\s+|\n\s*\n")
_FILE = re.compile(
    r"(?<![\w./*-])[\w./*-]*\w\.(?!(?:YY|yyyy|MM|DD|mm|dd)\b|YYYY)[A-Za-z]\w{0,5}\b|(?<![\w./-])[\w.-]+/[\w./*-]*"
)
_BOUND = re.compile(r"[,;:?!()\n]|\.(?!\w)")
_TOLD = re.compile(
    r"\b(?:has|have|is|are|comes?|holds?|contains?|stands?|begins?|starts?|ends?|looks?|shows?|logs?|stores?|stored|was"
    r"|were|which|where|whose|already)\b",
    re.IGNORECASE,
)
"""What a sentence has that tells what is there already."""
_WANTED = re.compile(
    r"\b(?:should|shall|must|needs?|want|please|round(?:ed|ing)?|use|write|give|format|show|save|make|put|keep|create|list"
    r"|produce|draw|collect|count|to be|columns?)\b",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"\b(?:tell|answer|say|report|reply|let me know|give me)\b|^\s*(?:how|what|which|who|when|where)\b",
    re.IGNORECASE,
)
_EMPTY = frozenset([
    *(
        "a",
        "all",
        "always",
        "amounts",
        "an",
        "and",
        "any",
        "as",
        "at",
        "be",
        "both",
        "column",
        "columns",
        "each",
        "every",
    ),
    *(
        "exactly",
        "figures",
        "floats",
        "for",
        "form",
        "format",
        "formatted",
        "given",
        "half",
        "have",
        "in",
        "it",
        "just",
    ),
    *(
        "must",
        "needs",
        "number",
        "numbers",
        "of",
        "only",
        "please",
        "results",
        "round",
        "rounded",
        "rounding",
        "shall",
    ),
    *(
        "should",
        "show",
        "shown",
        "so",
        "that",
        "the",
        "them",
        "these",
        "to",
        "up",
        "use",
        "values",
        "which",
        "with",
    ),
    *("write", "written", "give", "want", "i", "money", "them", "their", "its"),
])
"""Words that name no column in particular."""
_SAME = {"average": "mean", "avg": "mean"}


@dataclass(frozen=True)
class Clause:
    """What stands around a phrase."""

    found: re.Match[str]
    sentence: str
    file: str
    """The promised file that it is about; empty where the sentence names none."""
    items: tuple[frozenset[str], ...]
    """The words of each thing that it is said of; empty where it is said of nothing in particular."""
    is_wanted: bool
    """Whether something is wanted there at all, in words that leave no doubt."""


def clauses(task: str, phrase: re.Pattern[str], files: Sequence[str]) -> Iterator[Clause]:
    """What stands around each place of the task that the phrase matches and that is about files to be written; what
    tells how something is that is there already is left out."""
    for sentence in _SENTENCE.split(task[:MOST_READ]):
        last = 0
        for found in islice(phrase.finditer(sentence), MOST_PLACES):
            before = sentence[: found.start()]
            about = _about(before, last)
            last = found.end()
            file, is_of_other = _file(before, sentence, files)
            if is_of_other or _is_told(before, about) or _is_answer(before, files):
                continue
            items = _items(about) or _items(_behind(sentence[found.end() :]))
            yield Clause(found, sentence, file, items, bool(file or _WANTED.search(before)))


def _about(before: str, last: int) -> str:
    """The words that lead to a phrase: of its clause, or what a bracket stands behind that holds it."""
    ends = [found.end() for found in _BOUND.finditer(before)]
    start = max([last, *ends])
    own = before[start:]
    if _words(own) - _EMPTY:
        return own
    bracket = _open_bracket(before)
    if bracket is None or bracket < last:
        return own
    outer = before[:bracket]
    start = max([last, *(found.end() for found in _BOUND.finditer(outer))])
    # A bracket is about what stands right before it.
    return re.split(r"\band\b", _FILE.sub("", outer[start:]))[-1]


def _open_bracket(text: str) -> int | None:
    open_at: list[int] = []
    for at, sign in enumerate(text):
        if sign == "(":
            open_at.append(at)
        elif sign == ")" and open_at:
            open_at.pop()
    return open_at[-1] if open_at else None


def _behind(text: str) -> str:
    """What a phrase is said of behind it: ``two decimals for the mean``."""
    text = _FILE.sub(" ", text[:MOST_BEHIND])
    found = re.match(r"\s+(?:for|in|of)\s+(?P<said>[^,.;:?!()\n]{1,60})", text)
    return re.split(r"\sand\s(?=\w+\s+(?:to|with|as)\b)", found["said"])[0] if found else ""


def _file(before: str, sentence: str, files: Sequence[str]) -> tuple[str, bool]:
    """The promised file that a phrase behind these words is about, and whether it is about another one."""
    named = [(found[0].removeprefix("./").rstrip("."), found.end()) for found in _FILE.finditer(before)]
    promised = [name for name, _ in named if name in files]
    if named and named[-1][0] not in files:
        between = before[named[-1][1] :]
        is_its = re.match(r"[`'\"]?\s*\(", between) is not None and _open_bracket(between) is not None
        if not promised or is_its or re.search(r"\b(?:which|where|whose|has|have)\b", between):
            return "", True
    if promised:
        return promised[-1], False
    behind = [
        name
        for found in _FILE.finditer(sentence)
        if (name := found[0].removeprefix("./").rstrip(".")) in files
    ]
    return behind[0] if behind else "", False


def _is_told(before: str, about: str) -> bool:
    """Whether it is told what is there, and not what is wanted."""
    if _TOLD.search(about) and not re.search(
        r"\b(?:should|shall|must|needs?|rounded|to be)\b", about, re.IGNORECASE
    ):
        return True
    if re.search(r"\balready\b|\bnot\b|n't\b", about):
        return True
    return _TOLD.search(before) is not None and _WANTED.search(before) is None


def _is_answer(before: str, files: Sequence[str]) -> bool:
    """Whether it is about what is to be answered: it stands behind words that ask, and no file comes after them."""
    asked = [found.end() for found in _ASKED.finditer(before)]
    return bool(asked) and not any(name in before[asked[-1] :] for name in files)


def _items(said: str) -> tuple[frozenset[str], ...]:
    parts = (
        _words(part) - _EMPTY for part in re.split(r"\band\b|[,/&]", _FILE.sub("", said), flags=re.IGNORECASE)
    )
    return tuple(frozenset(map(_folded, part)) for part in parts if part)


def _words(text: str) -> set[str]:
    return {*re.findall(r"[^\W_]+", text.lower())}


def _folded(word: str) -> str:
    word = _SAME.get(word, word)
    return word[:-1] if len(word) > 3 and re.search(r"[^siu]s$", word) else word


def columns_of(items: Sequence[frozenset[str]], columns: Sequence[str]) -> list[str]:
    """The columns that are meant by the words of each thing: they have the same words, or one has all of the other's."""
    words = {column: frozenset(map(_folded, _words(column))) for column in columns}
    found: list[str] = []
    for item in items:
        same = [column for column in columns if words[column] == item]
        inside = [column for column in columns if words[column] and words[column] < item]
        around = [column for column in columns if item < words[column]]
        inside = [one for one in inside if not any(words[one] < words[other] for other in inside)]
        found += same or inside or around
    return [*dict.fromkeys(found)]
