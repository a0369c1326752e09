"""The border round what tools and files say: a mark of the run, which stands before the framework's own words.

A text can't write the mark: where one holds it, it is shown otherwise. So nothing that a server, a file or a web
page says stands in a prompt like a heading, a step or a correction of ours.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from functools import cached_property

from swarm.nouns.prompt import fill
from swarm.store.rows.records import RunRecord

MARK = "mark"
"""Setting in a run's record: its mark. A run of an earlier version has none, and its prompts stay what they were."""
_LETTERS = "bcdfghjkmnpqrstvwxz"
_LENGTH = 4


def new_mark() -> str:
    """A mark for a run: four letters, of which no word is made."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


@dataclass(frozen=True)
class Border:
    """Tells the framework's words from all others, by the mark of one run; an empty one tells nothing apart."""

    mark: str

    @classmethod
    def of(cls, record: RunRecord, *, is_queried: bool = False) -> Border:
        """The border of a recorded run. An agent that only queries is shown no texts, but cells in one line each,
        and gives rows that code took from tables: it has none."""
        mark = None if is_queried else record.settings.get(MARK)
        return cls(mark if isinstance(mark, str) else "")

    @property
    def rule(self) -> str:
        """The lines that tell an agent of the mark."""
        return fill("border", mark=self._sign) + "\n" if self.mark else ""

    def ours(self, words: str) -> str:
        """Words of the framework, behind the mark."""
        return f"{self._sign} {self.theirs(words)}" if self.mark else words

    def theirs(self, text: str) -> str:
        """A text of anybody else, without the mark."""
        return self._forged.sub(f"({self.mark})", text) if self.mark else text

    def without(self, reply: str) -> str:
        """A model's reply without the mark, where it has copied it: it belongs into no result and no call."""
        return reply.replace(f"{self._sign} ", "").replace(self._sign, "") if self.mark else reply

    @property
    def _sign(self) -> str:
        return f"[{self.mark}]"

    @cached_property
    def _forged(self) -> re.Pattern[str]:
        """The mark as it is, and spellings that read like it."""
        between = r"[\W_]{0,3}"
        return re.compile(rf"\[{between}{between.join(self.mark)}{between}\]", re.IGNORECASE)
