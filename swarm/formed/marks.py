r"""The marks that comments begin with: ``TODO(lena): …``, ``FIXME - …``, ``@todo …``.

``MARKS`` are the words that at least two of these lists share: PEP 350 (Codetags), the ``codetags`` of Pygments'
CodeTagFilter, leasot's tags, ``notes`` of Pylint's W0511, ``Keywords`` of RuboCop's Style/CommentAnnotation, and the
keywords of todo-comments.nvim.

Where the tools differ:

- Place: a mark counts at the beginning of a line of a comment, as for leasot, Pylint and RuboCop. Pygments, which only
  colours, takes one in the middle too.
- Letter case: capitals count with or without a colon. Pygments takes capitals alone; leasot and Pylint take any case,
  and so ``Note that`` as well, which is prose. So another case counts as RuboCop reads it, before a colon, and behind the sign
  of a documentation tag, ``@todo`` (leasot, JSDoc) or ``\todo`` (Doxygen).
- Word: ``TODO_LIST``, ``TODOS``, ``BUG-12``, ``XXX.c`` and ``NOTE::text`` are other words.
- Owner: ``(lena)`` as in leasot and Ruff's TD002, ``[lena]``, ``@lena`` (TD002). Brackets apart from the mark need a
  colon or a dash behind them, else they are a part of the sentence. leasot's reference may be anything; a number of an
  issue, a date or an address is no owner here and stays in the text.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import NamedTuple

MARKS = ("TODO", "FIXME", "XXX", "BUG", "HACK", "NOTE", "OPTIMIZE", "REVIEW", "WARNING")
_MARK = re.compile(
    rf"""
    (?P<sign>[@\\]?)(?P<mark>{"|".join(MARKS)})
    (?:[!?]{{1,3}}|\.{{1,3}}(?=\s|$))?
    (?=\s|$|[(\[@]|:(?!:|//)|-{{1,2}}(?:\s|$)|[\u2013\u2014])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_OWNER = re.compile(r"(?P<gap>\s*)(?:\([^()]{0,80}\)|\[[^\[\]]{0,80}\]|@(?P<at>[^\W\d_](?:[\w./-]*\w)?))")
_SEPARATOR = re.compile(r"\s*(?P<sign>:(?!:)|-{1,2}(?=\s|$)|[\u2013\u2014])?\s*")
_NAME = re.compile(r"@?(?P<name>[^\W\d_](?:[\w.'-]*\w)?(?:@[\w.-]+\w)?)")
_NO_NAME = re.compile(r"(?:[A-Za-z]+-|[A-Z]+|v|py)\d[\d.]*|.*\.\d.*")
"""Keys of issues, ``CORE-12``, ``L53``, and versions; ``lena2`` is how accounts are called."""
_PART = re.compile(r"\s*[,;&]\s*|\s+(?=[#@])")
MOST_WORDS = 3
"""Of a name."""


class Marked(NamedTuple):
    """What a line of a comment says, apart from its mark and whose it is."""

    mark: str | None
    """In capitals."""
    owner: str | None
    text: str


def marked(said: str) -> Marked:
    """A line of a comment, without the signs of one, by its mark; the whole of it is the text where there is none."""
    if not (found := _MARK.match(said)):
        return Marked(None, None, said)
    mark = found["mark"].upper()
    begun = _OWNER.match(said, found.end())
    sign, text = _parted(said, begun.end() if begun else found.end())
    if not (found["mark"].isupper() or found["sign"] or sign == ":"):
        return Marked(None, None, said)
    if not begun:
        return Marked(mark, None, text)
    if begun["gap"] and not begun["at"] and not sign:
        return Marked(mark, None, said[begun.end("gap") :])
    owner, rest = _owner_of(begun)
    return Marked(mark, owner, f"{rest} {text}".strip())


def _parted(said: str, at: int) -> tuple[str, str]:
    """The sign that parts a mark from what is said, and that."""
    found = _SEPARATOR.match(said, at)
    return (found["sign"] or "", said[found.end() :]) if found else ("", said[at:])


def _owner_of(found: re.Match[str]) -> tuple[str | None, str]:
    """The names between brackets, and what else stands there, in its brackets."""
    if found["at"]:
        return found["at"], ""
    said = found[0].strip()
    parts = _PART.split(said[1:-1].strip())
    names = [*takewhile(_is_name, parts)]
    rest = ", ".join(parts[len(names) :])
    owner = ", ".join(name.removeprefix("@") for name in names)
    return owner or None, f"{said[0]}{rest}{said[-1]}" if rest else ""


def _is_name(part: str) -> bool:
    """Whether it names somebody: one word, or a few of which the first and the last have capitals."""
    words = part.split()
    are_names = all(_NAME.fullmatch(word) and not _NO_NAME.fullmatch(word) for word in words)
    if not words or len(words) > MOST_WORDS or not are_names:
        return False
    return len(words) == 1 or (words[0][0].isupper() and words[-1][0].isupper())
