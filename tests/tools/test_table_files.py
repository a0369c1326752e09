"""Which files of a workspace make one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from swarm import ToolError
from tools import tables


@dataclass
class Context:
    """What a run would give: just a workspace."""

    workspace: Path

    def tables(self) -> Mapping[str, list[dict[str, JsonValue]]]:
        return {}

    def text_of(self, handle: str) -> str:
        raise ToolError(f"no result {handle!r}")


def _found(folder: Path, *paths: str) -> list[str]:
    for path in paths:
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text("article,price\ntea,3\n", encoding="utf-8")
    return tables.find(Context(folder)).text.splitlines()


def test_files_of_one_folder_with_the_same_columns_are_one_table(tmp_path: Path) -> None:
    assert _found(tmp_path, "shops/ulm.csv", "shops/kiel.csv") == [
        "shops(file, article, price) from shops/*.csv"
    ]


def test_files_outside_any_folder_are_tables_of_their_own(tmp_path: Path) -> None:
    assert _found(tmp_path, "old.csv", "new.csv") == [
        "new(article, price) from new.csv",
        "old(article, price) from old.csv",
    ]


def test_numbered_files_outside_any_folder_are_one_table_and_no_other_file_is_in_it(tmp_path: Path) -> None:
    (line, other) = _found(tmp_path, "sales-2024.csv", "sales-2025.csv", "plan.csv")[::-1]
    assert (line, other) == (
        "sales_2024(file, article, price) from sales-*.csv",
        "plan(article, price) from plan.csv",
    )
    loaded = tables.load("sales-*.csv", Context(tmp_path)).data
    assert loaded == [{"file": f"sales-{year}", "article": "tea", "price": 3} for year in (2024, 2025)]
