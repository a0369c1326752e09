"""Judges the files at the end of a task as the set's own functions do: run as a process of its own.

    python -P judging.py < JSON

The JSON has ``folder`` (as the task left it), ``pristine`` (as it began), ``reference`` and ``checks``. The
answer is a JSON object: ``failed`` tells of each check that was not passed why, ``unsound`` names files that
can't be opened as what their names say.

The functions are written anew, for the set's own can't be imported here: those that read mails look in
``/testbed`` whatever folder they are given, the comparator is text that is evaluated, and pages of PDF files
are compared as objects, which are never the same. What they compare is the same, letter for letter. Mails
are looked for in the task's folder.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

COMPARATOR = re.compile(r"\s*lambda (\w+): \1 in (\[.*\])\s*")
BEFORE = re.compile(r"(\.\./)+cache/\d+/testbed/")
REFERENCE = re.compile(r"(\.\./)+reference/")

Args = Mapping[str, Any]


class Bench:
    """The folders that a task is judged by."""

    def __init__(self, folder: Path, pristine: Path, reference: Path) -> None:
        self.folder = folder
        self._pristine = pristine
        self._reference = reference

    def place(self, name: str) -> Path:
        """Where a file lies that a check names."""
        for mark, root in ((BEFORE, self._pristine), (REFERENCE, self._reference)):
            if found := mark.match(name):
                return root / name[found.end() :]
        return self.folder / name


def has_texts(content: str, keywords: Sequence[str]) -> bool:
    """Whether all of them stand there, in any letter case; a number in a text without its commas."""
    content = content.lower()
    for keyword in keywords:
        if _is_number(keyword):
            content = content.replace(",", "")
        if keyword.lower() not in content:
            return False
    return True


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def contain(bench: Bench, args: Args) -> bool:
    """Whether a file, or the mails of a person, have these words."""
    kind = args["doc_type"]
    if kind == "email":
        return has_texts(mails_of(bench.folder, args["username"]), args["keywords"])
    path = bench.place(args["file"])
    return path.is_file() and has_texts(READERS[kind](path), args["keywords"])


def not_contain(bench: Bench, args: Args) -> bool:
    """Whether one of the words is missing, or the file is."""
    return not contain(bench, args)


def file_exist(bench: Bench, args: Args) -> bool:
    """Whether it is there."""
    return bench.place(args["file"]).exists()


def file_not_exist(bench: Bench, args: Args) -> bool:
    """Whether it is not there."""
    return not file_exist(bench, args)


def diff_contain_text(bench: Bench, args: Args) -> bool:
    """Whether the lines that changed have these words."""
    before, after = (
        READERS[args["doc_type"]](bench.place(args[key])) for key in ("input_file", "output_file")
    )
    changed = "\n".join(difflib.unified_diff(before.split("\n"), after.split("\n"), n=0))
    return before != after and all(word in changed for word in args["keywords"])


def excel_cell_value(bench: Bench, args: Args) -> bool:
    """Whether these cells begin with these values."""
    path = bench.place(args["file"])
    content = book_text(path) if path.exists() else ""
    return all(f"({one['row']}, {one['col']}): {one['value']}" in content for one in args["matches"])


def excel_cell_comparator(bench: Bench, args: Args) -> bool:
    """Whether these cells hold one of the values that each may have."""
    content = book_text(bench.place(args["file"]))
    for one in args["matches"]:
        found = re.search(rf"\({one['row']}, {one['col']}\): (\w+)\t", content)
        if found is None or found[1] not in values_allowed(one["comparator"]):
            return False
    return True


def values_allowed(comparator: str) -> list[str]:
    """The values of a comparator of the form ``lambda x: x in [...]``, the only one that the set has.

    Raises:
        ValueError: it has another form.
    """
    if (found := COMPARATOR.fullmatch(comparator)) is None:
        raise ValueError(f"the comparator {comparator[:80]!r} has a form that is not known")
    return [str(value) for value in ast.literal_eval(found[2])]


def calendar_no_overlap(bench: Bench, args: Args) -> bool:
    """Whether no event of a person begins before the one before it ends."""
    library = importlib.import_module("icalendar")
    data = (bench.folder / "calendar" / f"{args['username']}.ics").read_bytes()
    spans = [
        (aware(event.get("dtstart").dt), aware(event.get("dtend").dt))
        for event in library.Calendar.from_ical(data).walk("VEVENT")
    ]
    spans.sort(key=lambda span: span[0])
    return all(ends <= begins for (_, ends), (begins, _) in pairwise(spans))


def aware(moment: datetime) -> datetime:
    """A time of an event, one without a zone taken as UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def exact_match(bench: Bench, args: Args) -> bool:
    """Whether a file holds what the one that it is compared with does."""
    path, expected = bench.place(args["result_file"]), bench.place(args["expected_file"])
    if not path.exists():
        return False
    if args["doc_type"] == "pdf":
        raise ValueError("pages of PDF files are compared as objects, which are never the same")
    if args["doc_type"] != "xlsx":
        return READERS[args["doc_type"]](path) == READERS[args["doc_type"]](expected)
    return cells(path) == cells(expected)


def cells(path: Path) -> dict[tuple[int, int], object]:
    """What the shown sheet of a workbook holds, by row and column; empty cells left out."""
    sheet = importlib.import_module("openpyxl").load_workbook(path).active
    return {
        (one.row, one.column): one.value for row in sheet.iter_rows() for one in row if one.value is not None
    }


def book_text(path: Path) -> str:
    """A workbook as the set's own app shows it, by which its checks go."""
    sheet = importlib.import_module("openpyxl").load_workbook(path).active
    lines: list[str] = []
    for row in sheet.iter_rows():
        shown = [
            f"({one.row}, {one.column}): {'[Empty Cell]' if one.value is None else one.value}\t"
            for one in row
        ]
        lines.append("".join(shown) + "\n")
    return "".join(lines)


def _plain(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _word(path: Path) -> str:
    return "\n".join(str(one.text) for one in importlib.import_module("docx").Document(str(path)).paragraphs)


def _pdf(path: Path) -> str:
    return "".join(
        str(page.extract_text()) for page in importlib.import_module("pypdf").PdfReader(path).pages
    )


def mails_of(folder: Path, person: str) -> str:
    """All mails of a person as the set's own app lists them: that of the name, else one whose name has it."""
    people = sorted((folder / "emails").iterdir()) if (folder / "emails").is_dir() else []
    named = [path for path in people if path.name in (person, person.lower())]
    named += [path for path in people if person.lower() in path.name.lower()]
    return "".join(_mail(path) for path in sorted(named[0].glob("*.eml"))) if named else "No emails found."


def _mail(path: Path) -> str:
    mail = BytesParser(EmailMessage, policy=policy.default).parsebytes(path.read_bytes())
    parts = list(mail.iter_parts()) if mail.is_multipart() else [mail]
    texts = [_decoded(cast("EmailMessage", part)) for part in parts if part.get_content_maintype() == "text"]
    heads = f"Email ID: {path.name}\nFrom: {mail['From']}\nTo: {mail['To']}\nSubject: {mail['Subject']}\n"
    return f"{heads}Content: {chr(10).join(texts)}\n{'-' * 50}\n"


def _decoded(part: EmailMessage) -> str:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data.decode(part.get_content_charset() or "utf-8", errors="replace")


READERS: Mapping[str, Callable[[Path], str]] = {
    "xlsx": book_text,
    "txt": _plain,
    "ics": _plain,
    "doc": _word,
    "docx": _word,
    "pdf": _pdf,
}
FUNCTIONS: Mapping[str, Callable[[Bench, Args], bool]] = {
    f"evaluate_{check.__name__}": check
    for check in (
        contain,
        not_contain,
        file_exist,
        file_not_exist,
        diff_contain_text,
        excel_cell_value,
        excel_cell_comparator,
        calendar_no_overlap,
        exact_match,
    )
}


def judged(bench: Bench, check: Mapping[str, Any]) -> str:
    """Why a check is not passed; empty where it is. What the files are is no reason to fail here."""
    name = str(check["function"])
    try:
        return "" if FUNCTIONS[name](bench, check["args"]) else f"{name} {json.dumps(check['args'])[:160]}"
    except Exception as error:  # noqa: BLE001  # files are whatever a model made of them
        return f"{name} {json.dumps(check['args'])[:100]}: {type(error).__name__}: {str(error)[:80]}"


OPENED: Mapping[str, Callable[[Path], object]] = {
    ".xlsx": book_text,
    ".docx": _word,
    ".pdf": _pdf,
    ".ics": lambda path: importlib.import_module("icalendar").Calendar.from_ical(path.read_bytes()),
    **dict.fromkeys((".jpg", ".png"), lambda path: importlib.import_module("PIL.Image").open(path).verify()),
}


def is_sound(path: Path) -> bool:
    """Whether a file can be opened as what its name says."""
    try:
        OPENED.get(path.suffix.lower(), Path.read_bytes)(path)
    except Exception:  # noqa: BLE001  # whatever a library says of it
        return False
    return True


def main() -> None:
    """Judges what standard input names."""
    told = json.load(sys.stdin)
    bench = Bench(*(Path(told[key]) for key in ("folder", "pristine", "reference")))
    failed = [why for check in told["checks"] if (why := judged(bench, check))]
    named = {bench.place(check["args"]["file"]) for check in told["checks"] if "file" in check["args"]}
    unsound = [path.name for path in sorted(named) if path.is_file() and not is_sound(path)]
    print(json.dumps({"failed": failed, "unsound": unsound}))


if __name__ == "__main__":
    main()
