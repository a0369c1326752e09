"""A scripted model that does tasks right: the calls that make each check pass, told from the check itself.

It looks at the files of a task to find cells that have to go, and days that are free, and at the reference
files. It shows that each tool which a task needs is there and does its work in a run; it shows nothing of
what a model understands.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, cast

from pydantic import JsonValue
from python_calamine import CalamineWorkbook

from benchmarks.officebench.ground import ANSWER, beyond
from benchmarks.officebench.judging import values_allowed
from benchmarks.officebench.tasks import Task
from benchmarks.turns import call_turn, result_turn, said, turn_number
from swarm.nouns.messages import Request

LONGEST_SUMMARY = 60
BAD_PROGRAM = "```python\nraise ValueError('this is not for programs')\n```"
DONE = "Done."

Call = tuple[str, dict[str, JsonValue]]
Row = list[JsonValue]


class Oracle:
    """What the scripted model says in the run of one task."""

    def __init__(self, task: Task) -> None:
        self.calls, self.answer = calls_for(task)
        self.heard = ""
        """All that the agent was told, with what its calls gave."""

    def reply(self, request: Request) -> str:
        """The plan, a program that fails, the next call, or the result."""
        schema = json.dumps(request.output_schema)
        if '"steps"' in schema:
            step: dict[str, JsonValue] = {
                "id": "work",
                "agent": "generalist",
                "each": "",
                "needs": [],
                "brief": "Do the task.",
                "columns": [],
                "writes": "",
            }
            return json.dumps({"steps": [step]})
        if "You do one step of it." not in said(request):
            return BAD_PROGRAM
        self.heard = said(request)
        turn = turn_number(request)
        if turn <= len(self.calls):
            tool, args = self.calls[turn - 1]
            return call_turn(tool, **args)
        return result_turn(self.answer)


def calls_for(task: Task) -> tuple[list[Call], str]:
    """The calls that make the checks of a task pass, in order, and its answer; none for one that is out of reach."""
    maker = _Maker(task)
    for check in () if beyond(task) else task.checks:
        args = cast("dict[str, Any]", check["args"])
        getattr(maker, str(check["function"]).removeprefix("evaluate_"))(args)
    return maker.calls(), maker.answer


def sheet(path: Path) -> list[Row]:
    """The first sheet of a workbook from its first row and column on; whole numbers are whole."""
    if not path.is_file():
        return []
    rows = (
        CalamineWorkbook
        .from_filelike(io.BytesIO(path.read_bytes()))
        .get_sheet_by_index(0)
        .to_python(skip_empty_area=False)
    )
    return [[_plain(cell) for cell in row] for row in rows]


def _plain(cell: object) -> JsonValue:
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() else cell
    return cell if isinstance(cell, bool | int | str) else str(cell)


class _Maker:
    """What the files at the end of a task must hold, gathered from its checks."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._lines: dict[str, list[str]] = {}
        """By file that is text in some form, what must stand in it."""
        self._mails: dict[str, list[str]] = {}
        self._subjects: dict[str, str] = {}
        self._cells: dict[str, dict[tuple[int, int], JsonValue]] = {}
        self._files: list[str] = []
        self.answer = DONE

    def contain(self, args: dict[str, Any]) -> None:
        """These words in a file or a mail."""
        words = [str(word) for word in args["keywords"]]
        if args["doc_type"] == "email":
            self._mails.setdefault(args["username"], []).extend(words)
        elif _path(args["file"]) == ANSWER:
            self.answer = ", ".join(words)
        else:
            self._lines.setdefault(_path(args["file"]), []).extend(words)

    def not_contain(self, args: dict[str, Any]) -> None:
        """Cells with one of these words are emptied; other files do not have them yet."""
        if args["doc_type"] == "xlsx":
            self._empty(_path(args["file"]), args["keywords"][:1])

    def diff_contain_text(self, args: dict[str, Any]) -> None:
        """The cells with these words go."""
        self._empty(_path(args["output_file"]), args["keywords"])

    def file_exist(self, args: dict[str, Any]) -> None:
        """Some file of that name."""
        self._files.append(_path(args["file"]))

    def file_not_exist(self, args: dict[str, Any]) -> None:
        """Nothing: no call makes it."""

    def excel_cell_value(self, args: dict[str, Any]) -> None:
        """These values in these cells."""
        for match in args["matches"]:
            self._of(args["file"])[int(match["row"]), int(match["col"])] = str(match["value"])

    def excel_cell_comparator(self, args: dict[str, Any]) -> None:
        """The first of the values that each cell may have."""
        for match in args["matches"]:
            self._of(args["file"])[int(match["row"]), int(match["col"])] = values_allowed(
                match["comparator"]
            )[0]

    def calendar_no_overlap(self, args: dict[str, Any]) -> None:
        """Nothing: new events are on days of their own."""

    def exact_match(self, args: dict[str, Any]) -> None:
        """The cells of the other file, and no others."""
        wanted, has = (
            sheet(self._task.reference / Path(args["expected_file"]).name),
            sheet(self._at(args["result_file"])),
        )
        cells = self._of(args["result_file"])
        for row in range(max(len(wanted), len(has))):
            new, old = (rows[row] if row < len(rows) else [] for rows in (wanted, has))
            for column in range(max(len(new), len(old))):
                value, before = (cells_[column] if column < len(cells_) else "" for cells_ in (new, old))
                if value != before:
                    cells[row + 1, column + 1] = value

    def calls(self) -> list[Call]:
        """All calls, those that make a file before those that print it."""
        return [*self._written(), *self._booked(), *self._sent(), *self._made()]

    def _of(self, file: str) -> dict[tuple[int, int], JsonValue]:
        return self._cells.setdefault(_path(file), {})

    def _at(self, file: str) -> Path:
        return self._task.testbed / _path(file)

    def _empty(self, file: str, words: Sequence[str]) -> None:
        for number, row in enumerate(sheet(self._at(file)), 1):
            if any(str(cell) == words[0] for cell in row) or len(words) > 4:
                for column, cell in enumerate(row, 1):
                    if str(cell) in words:
                        self._of(file)[number, column] = ""

    def _written(self) -> Iterator[Call]:
        for file, words in self._lines.items():
            ending, text = PurePosixPath(file).suffix, "\n".join(words)
            if ending == ".xlsx":
                first = len(sheet(self._at(file))) + 1
                self._of(file).update({(first, place): word for place, word in enumerate(words, 1)})
            elif ending == ".docx":
                yield "office.word_write", {"file": file, "text": text}
            elif ending == ".pdf":
                yield from _printed(file, text)
            elif ending == ".ics" and file.startswith("calendar/"):
                yield from _events(PurePosixPath(file).stem, words)
            else:
                yield "files.write", {"path": file, "content": text}

    def _booked(self) -> Iterator[Call]:
        for file, cells in self._cells.items():
            if not self._at(file).is_file():
                yield "office.excel_create", {"file": file}
            for row in sorted({row for row, _ in cells}):
                own = {column: value for (number, column), value in cells.items() if number == row}
                yield from _row(file, row, own)

    def _sent(self) -> Iterator[Call]:
        for file in self._files:
            if file.startswith("emails/"):
                person, subject = PurePosixPath(file).parts[1], PurePosixPath(file).stem
                self._subjects[person] = subject
                self._mails.setdefault(person, [])
        for person, words in self._mails.items():
            subject = self._subjects.get(person, "Message")
            args: dict[str, JsonValue] = {
                "sender": self._task.user,
                "recipient": person,
                "subject": subject,
                "content": "\n".join(words),
            }
            yield "office.email_send", args

    def _made(self) -> Iterator[Call]:
        known = {*self._lines, *self._cells}
        for file in dict.fromkeys(self._files):
            if file in known or file.startswith("emails/") or self._at(file).exists():
                continue
            yield from self._one(file)

    def _one(self, file: str) -> Iterator[Call]:
        """A file that must be there and of which nothing else is known."""
        name, ending = PurePosixPath(file), PurePosixPath(file).suffix
        same = next(self._task.testbed.glob(f"data/{name.name}"), None)
        if same is not None:
            yield "files.move", {"path": f"data/{name.name}", "to": file}
        elif ending == ".xlsx":
            yield "office.excel_create", {"file": file}
        elif ending == ".docx":
            yield "office.word_write", {"file": file, "text": self._task.text}
        elif ending == ".pdf":
            yield from _printed(file, self._task.text)
        elif ending in (".jpg", ".png"):
            pdf = str(name.with_suffix(".pdf"))
            yield from _printed(pdf, self._task.text)
            yield "office.pdf_convert_to_image", {"file": pdf, "image": file}
        elif ending == ".ics" and file.startswith("calendar/"):
            yield from _events(name.stem, ["Meeting"], 2)
        else:
            yield "files.write", {"path": file, "content": self._task.text}


def _path(file: str) -> str:
    return str(PurePosixPath(file))


def _printed(pdf: str, text: str) -> Iterator[Call]:
    word = str(PurePosixPath(pdf).with_suffix(".docx"))
    yield "office.word_write", {"file": word, "text": text}
    yield "office.word_convert_to_pdf", {"file": word, "pdf": pdf}


def _row(file: str, row: int, cells: dict[int, JsonValue]) -> Iterator[Call]:
    if all(cells.values()) and sorted(cells) == list(range(1, len(cells) + 1)):
        values: JsonValue = [cells[column] for column in sorted(cells)]
        yield "office.excel_write_row", {"file": file, "row": row, "values": values}
        return
    for column, value in sorted(cells.items()):
        args: dict[str, JsonValue] = {"file": file, "row": row, "column": column}
        if value == "":
            yield "office.excel_delete_cell", args
        else:
            yield "office.excel_set_cell", args | {"value": value}


def _events(user: str, words: Sequence[str], day: int = 1) -> Iterator[Call]:
    """Events with these words, the first at the times that they tell where they do."""
    times = {key: _moment(word) for word in words for key in ("DTSTART:", "DTEND:") if word.startswith(key)}
    texts = [word.removeprefix("SUMMARY:") for word in words if not word.startswith(("DTSTART:", "DTEND:"))]
    for hour, summary in enumerate(_chunks(texts), 9):
        start, end = (f"2030-01-{day:02} {at:02}:00:00" for at in (hour, hour + 1))
        if times and hour == 9:
            start = times.get("DTSTART:", start)
            end = times.get("DTEND:", start)
        args: dict[str, JsonValue] = {"user": user, "summary": summary, "start": start, "end": end}
        yield "office.calendar_create_event", args


def _chunks(texts: Sequence[str]) -> list[str]:
    """The texts in lines that a calendar does not fold, which it does at 75 letters."""
    lines = [""]
    for text in texts:
        if lines[-1] and len(lines[-1]) + len(text) > LONGEST_SUMMARY:
            lines.append("")
        lines[-1] = f"{lines[-1]} {text}".strip()
    return [line or "Event" for line in lines]


def _moment(word: str) -> str:
    """``DTSTART:20240517T103000Z`` as a time that the tool takes."""
    found = re.search(r":(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?)?(Z?)", word)
    assert found is not None, word
    year, month, day, hour, minute, second, zone = (part or "" for part in found.groups())
    return f"{year}-{month}-{day} {hour or '09'}:{minute or '00'}:{second or '00'}{'+00:00' if zone else ''}"
