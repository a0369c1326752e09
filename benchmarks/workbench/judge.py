"""Judges the calls of a run by the state of all tables: ``python -m benchmarks.workbench.judge DATA``.

Reads ``{"made": [...], "due": [...]}`` from standard input and prints a ``Judgement``. The rules are those of the set's
``src/evals/utils.py``, written again because that file imports the clients of five model services: *right* is
when all tables that tools can change are as after the calls that are due, case aside but for three columns; an
*unwanted effect* is when they are not, and not as they were either.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.workbench.office import Office, Table
from benchmarks.workbench.tasks import Call


@dataclass(frozen=True)
class Judgement:
    """What the calls of a run came to."""

    is_right: bool
    has_changed: bool
    """Whether any table is other than before."""

    @property
    def is_unwanted(self) -> bool:
        """Whether something was changed that should not have been, or not so."""
        return self.has_changed and not self.is_right


def judge(data: Path, made: Sequence[Call], due: Sequence[Call]) -> Judgement:
    """Compares the tables after the calls that were made with those after the calls that are due."""
    before, after, wanted = (_after(data, calls) for calls in ((), made, due))
    is_right = all(after[name].folded() == table.folded() for name, table in wanted.items())
    return Judgement(is_right and after.keys() == wanted.keys(), after != before)


def _after(data: Path, calls: Sequence[Call]) -> dict[str, Table]:
    return Office(data).make((call.tool, call.args) for call in calls).tables()


def _main() -> None:
    asked = json.loads(sys.stdin.read())
    made, due = ([Call(**call) for call in asked[name]] for name in ("made", "due"))
    print(json.dumps(asdict(judge(Path(sys.argv[1]), made, due))))  # the verdict


if __name__ == "__main__":
    _main()
