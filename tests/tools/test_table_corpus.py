"""Table files of real shapes, each with its truth beside it, written by hand: every cell, or a refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from swarm import ToolError
from swarm.tabular import files
from swarm.tabular.file_table import FileTable
from swarm.tabular.query_engine import rows_of

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path.name.removesuffix(".truth") for path in CORPUS.glob("*.truth"))
DELIMITED = [name for name in FILES if name.endswith((".csv", ".tsv"))]


def truth_of(name: str) -> dict[str, Any]:
    return dict(json.loads((CORPUS / f"{name}.truth").read_text(encoding="utf-8")))


def judge(name: str, rows: list[dict[str, Any]]) -> None:
    """Holds what was read against the truth, kinds of values included."""
    truth = truth_of(name)
    assert "refused" not in truth, rows[:3]
    assert [list(row.values()) for row in rows] == truth["rows"]
    assert [[isinstance(v, str) for v in row.values()] for row in rows] == [
        [isinstance(v, str) for v in row] for row in truth["rows"]
    ]
    assert not rows or list(rows[0]) == truth["columns"]


def test_the_corpus_has_at_least_150_files() -> None:
    assert len(FILES) >= 150


def loaded(name: str) -> list[dict[str, Any]] | ToolError:
    """The rows of a file, wherever they are kept, or why it was refused."""
    try:
        rows = files.loaded(CORPUS, name)
        return list(rows_of(rows)) if isinstance(rows, FileTable) else list(rows)
    except ToolError as error:
        return error


@pytest.mark.parametrize("name", FILES)
def test_every_cell_of_a_file_is_right_or_the_file_is_refused(name: str) -> None:
    found = loaded(name)
    if isinstance(found, ToolError):
        assert truth_of(name).get("refused", "no refusal") in str(found)
        assert str(found).startswith(name)
    else:
        judge(name, found)


@pytest.mark.parametrize("name", DELIMITED)
def test_a_file_that_is_queried_where_it_is_has_the_same_cells(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size from which on a file stays in its place is lowered, so that small ones show it."""
    monkeypatch.setattr(files, "LARGE_BYTES", -1)
    found = loaded(name)
    if isinstance(found, ToolError):
        # Whether a line called total is one would take the sums of all lines to tell: it is refused.
        assert "refused" in truth_of(name) or "looks like a sum" in str(found)
    else:
        judge(name, found)
