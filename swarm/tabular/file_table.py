"""A table that stays in its files: what is known of it, and its rows when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import overload

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from swarm.errors import ToolError
from swarm.nouns.tool import Row
from swarm.tabular.delimited import Dialect

KEY = "file_table"
"""Where the data of a tool's result describes a table in files instead of giving its rows."""


class File(BaseModel):
    """A file as it was when it was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    """Relative to the workspace."""
    size: int
    changed_ns: int

    @classmethod
    def seen(cls, workspace: Path, path: str) -> File:
        """The file as it is now."""
        stat = (workspace / path).stat()
        return cls(path=path, size=stat.st_size, changed_ns=stat.st_mtime_ns)


class Description(BaseModel):
    """A table in files: enough to show it to a model, and to read it again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[File, ...]
    columns: tuple[str, ...]
    kinds: dict[str, str]
    """``NUMBER`` or ``TEXT`` by column, as the first rows show; the whole column decides when it is read."""
    first: tuple[dict[str, JsonValue], ...]
    about_rows: int
    """Estimated from the size of the first rows."""
    mark: str = ""
    """The column that names each row's file, where there are several."""


class FileTable(Sequence[Row]):
    """The rows of a table in files. A query reads it in place; whoever asks for rows gets each, typed."""

    def __init__(self, workspace: Path, description: Description) -> None:
        self.workspace = workspace
        self.description = description
        self.dialects: tuple[Dialect, ...] = ()
        """How each file is written, where it was looked at in this process."""
        self._count: int | None = None

    @classmethod
    def of(cls, workspace: Path, data: JsonValue) -> FileTable | None:
        """The table that a tool's result describes; None where it gives rows, or something else."""
        if not isinstance(data, dict) or data.keys() != {KEY}:
            return None
        try:
            return cls(workspace, Description.model_validate(data[KEY]))
        except ValidationError as error:
            raise ToolError(f"the description of a table is damaged: {error.errors()[0]['msg']}") from error

    @property
    def data(self) -> JsonValue:
        """What a tool's result holds of it."""
        return {KEY: self.description.model_dump(mode="json")}

    def paths(self) -> list[Path]:
        """The files, unchanged since they were looked at.

        Raises:
            ToolError: one changed, or is gone.
        """
        for file in self.description.files:
            try:
                now = File.seen(self.workspace, file.path)
            except OSError as error:
                raise ToolError(f"{file.path!r} can't be read any more: {error.strerror}") from error
            if now != file:
                raise ToolError(f"{file.path!r} was changed since it was loaded; start the task again")
        return [self.workspace / file.path for file in self.description.files]

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self)
        return self._count

    def __iter__(self) -> Iterator[Row]:
        from swarm.tabular.query_engine import rows_of  # the engine knows tables, and DuckDB is heavy

        return rows_of(self)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return list(islice(iter(self), *index.indices(len(self))))
        at = index if index >= 0 else len(self) + index
        for row in islice(iter(self), at, at + 1):
            return row
        raise IndexError(index)
