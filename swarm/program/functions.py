"""The functions that a program is given. ``prompts/program.md`` is their page, for models and for people."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from swarm.program.decimals import lists_rounded, rounded
from swarm.program.overlay import Overlay
from swarm.program.program_wire import Order, ProgramWire, Rounding
from swarm.program.query_mending import as_asked
from swarm.program.querying import Catalogue
from swarm.program.reading import text_in
from swarm.program.saving import Plain, plain, text_of
from swarm.program.shapes import dict_of, dicts_of, items_of

Row = dict[str, Plain]


class Functions:
    """What a program works with; its public methods are the functions, by their names."""

    def __init__(
        self,
        overlay: Overlay,
        catalogue: Catalogue,
        line: ProgramWire,
        order: Order | None = None,
    ) -> None:
        self._overlay = overlay
        self._catalogue = catalogue
        self._line = line
        self._is_lenient = order is not None and order.is_lenient
        self._columns: Mapping[str, Sequence[str]] = order.columns if order else {}
        """Of the files that are to be saved, as far as they are asked for by name."""
        self._roundings: Sequence[Rounding] = order.roundings if order and order.is_lenient else ()
        self._read: dict[int, str] = {}
        """Files by the texts that were read of them."""
        self._answers: list[Plain] = []
        self.has_asked = False
        """Whether the run was asked for anything."""

    def forget(self) -> None:
        """Lets go of the answers, as before the start."""
        self._answers.clear()

    def names(self) -> dict[str, str]:
        """The tables that there are, and where each lies."""
        return self._catalogue.names()

    def given(self) -> dict[str, object]:
        """The functions by the names that a program calls them by."""
        named = (
            "files",
            "read",
            "lines",
            "table",
            "tables",
            "sql",
            "save",
            "remove",
            "answer",
            "extract",
            "ask",
            "number",
            "date",
        )
        found: dict[str, object] = {name: getattr(self, name) for name in named}
        return found | {"tool": self.tool, "open": self.open}

    @property
    def has_answer(self) -> bool:
        """Whether an answer was given."""
        return bool(self._answers)

    @property
    def last_answer(self) -> Plain:
        """The answer that was given last; None where none was."""
        return self._answers[-1] if self._answers else None

    def files(self, pattern: str = "**/*") -> list[str]:
        """Names of the files that a pattern matches."""
        try:
            return self._overlay.files(pattern)
        except FileNotFoundError as error:
            if pattern in self._catalogue.names():
                raise FileNotFoundError(
                    f"{pattern} is a table and no folder: table({pattern!r}) gives its rows, sql(query) asks it"
                ) from error
            raise

    def read(self, name: str) -> str:
        """The text of a file."""
        path = self._overlay.path_of(_one(name, "read"))
        try:
            text = text_in(path, name)
            self._read[hash(text)] = self._overlay.name_of(name)
            return text
        except (ValueError, OSError):
            # A program that goes on all the same has not read it.
            self._overlay.forget_read(name)
            raise

    def lines(self, name: str) -> list[str]:
        """The lines of a file, or of all files of a pattern, without their ends."""
        if "*" in str(name):
            return [line for one in self.files(name) for line in self.read(one).splitlines()]
        return self.read(name).splitlines()

    def table(self, name: str) -> list[Row]:
        """The rows of a table."""
        return self._catalogue.rows(_one(name, "table"))

    def tables(self, name: str = "") -> dict[str, str] | list[Row]:
        """The tables that ``sql`` knows, and where each lies; the rows of one that is named."""
        return self.table(name) if name else self._catalogue.names()

    def sql(self, query: str, *given: object, **rows: object) -> list[Row]:
        """The rows of one SELECT."""
        if given:
            raise ValueError("sql(query, t=rows): give rows by the name that the query has for them")
        return self._catalogue.select(query, rows)

    def save(self, name: object, data: object, columns: Sequence[str] | None = None) -> None:
        """Writes a file, in the form that its name's ending says."""
        if not isinstance(name, str) and isinstance(data, str):
            raise ValueError("save(name, data): the name of the file comes first")
        name = _one(name, "save")
        if isinstance(data, bytes | bytearray):
            self._overlay.place_for(name).write_bytes(data)
            return
        text = text_of(name, self._as_asked(name, data, columns), columns)
        self._overlay.place_for(name).write_text(text, encoding="utf-8", errors="replace", newline="")

    def _as_asked(self, name: str, data: object, columns: Sequence[str] | None) -> object:
        """What is saved, with the columns and the decimals that are asked for, where it is a table."""
        wanted = self._columns.get(name)
        items = items_of(data) if wanted or self._roundings else None
        if not items:
            return data
        if (dicts := dicts_of(items)) is not None:
            rows = [{str(key): plain(cell) for key, cell in row.items()} for row in dicts]
            if wanted and (named := as_asked(rows, wanted)):
                rows = named
                items = [*named]
            is_named = all(isinstance(key, str) for row in dicts for key in row)
            return (rounded(rows, name, self._roundings) if is_named else None) or items
        return lists_rounded(items, name, columns, self._roundings) or items

    def remove(self, name: str) -> None:
        """Takes a file away."""
        self._overlay.remove(name)

    def answer(self, value: object = None, *more: object) -> None:
        """Gives the answer."""
        self._answers.append(plain([value, *more] if more else value))

    @staticmethod
    def number(text: object) -> int | float | None:
        """The first number in a text; None where there is none."""
        from swarm.formed.quantity import first_number

        return text if isinstance(text, int | float) else first_number(str(text or ""))

    @staticmethod
    def date(text: object) -> str | None:
        """The first date in a text as ``YYYY-MM-DD``; None where there is none."""
        from swarm.formed.moment import first_date

        return first_date(str(text or "")) or None

    def extract(self, text: str | Iterable[str], columns: object) -> object:
        """The rows that a reader finds in a text; of several texts, the rows of each."""
        named = _columns(columns)
        self._refuse_made(text)
        self.has_asked = True
        return self._asked(text, lambda one: self._line.call(call="extract", text=one, columns=[*named]))

    def ask(self, question: str, text: str | Iterable[str] = "") -> object:
        """What a reader answers to a question about a text; about several texts, the answers in their order."""
        self._refuse_made(text)
        self.has_asked = True
        return self._asked(text, lambda one: self._line.call(call="ask", text=one, question=question))

    def _refuse_made(self, text: object) -> None:
        """Keeps a program that a model wrote from having read by sub-agents, for hours, what a table holds."""
        name = self._read.get(hash(text), "") if isinstance(text, str) else ""
        if self._is_lenient and name and (table := self._catalogue.made_of(name)):
            raise ValueError(f"{name} is no prose; its rows stand in the table {table}: ask that with sql()")

    def tool(self, name: str, /, *unnamed: object, **args: object) -> Plain:
        """What a tool gives."""
        if unnamed:
            raise ValueError(f"tool({name!r}, …): give each argument by its name")
        known = {key: plain(value) for key, value in args.items()}
        self.has_asked = True
        return self._line.call(call="tool", tool=name, args=known)

    def open(self, name: Any, mode: str = "r", *_: Any, **kwargs: Any) -> Any:
        """Python's ``open``, over the files of the workspace."""
        if not isinstance(name, str | Path):
            raise ValueError("open(name) wants the name of a file")
        if not set(mode) & set("wax+"):
            if "b" in mode:
                return self._overlay.path_of(name).open(mode)
            return io.StringIO(self.read(str(name)))
        place = self._overlay.place_for(name)
        if "x" in mode and self._before(str(name)):
            raise FileExistsError(f"{name} is there already")
        if not set(mode) & set("wx") and not place.exists():
            place.write_bytes(self._before(str(name)))
        if "b" in mode:
            return place.open(mode)
        return place.open(mode, encoding="utf-8", newline=kwargs.get("newline"))

    def _before(self, name: str) -> bytes:
        try:
            return self._overlay.path_of(name).read_bytes()
        except FileNotFoundError:
            return b""

    @staticmethod
    def _asked(text: object, ask: Callable[[str], Plain]) -> object:
        """One answer for a text; the answers in their order for several, which are worked on side by side."""
        if isinstance(text, str):
            return ask(text)
        texts = items_of(text)
        if texts is None:
            raise ValueError("give a text, as read(name), or a list of texts")
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(max_workers=64) as pool:
            return list(pool.map(ask, [str(one) for one in texts]))


def _one(name: object, function: str) -> str:
    if isinstance(name, list | tuple):
        raise ValueError(f"{function}() takes the name of one file; write a loop: for name in files(…)")
    return str(name)


def _columns(columns: object) -> list[str]:
    """Columns as ``name`` or ``name:type``, in a text with commas or in a list."""
    keyed = dict_of(columns)
    if keyed is not None:
        columns = [f"{name}:{kind}" for name, kind in keyed.items()]
    parts = columns.split(",") if isinstance(columns, str) else items_of(columns)
    if parts is None:
        raise ValueError('extract(text, columns) wants the columns as "name, amount:number, due:date"')
    named = [str(part).strip() for part in parts if str(part).strip()]
    if not named:
        raise ValueError("extract(text, columns) wants at least one column")
    return named
