"""Doing a step by SELECTs: one for each file that it promises and one for its answer, each over one table that has all
that belongs to its rows on it. What is asked for apart can be compared apart, and code makes the program of it."""

from __future__ import annotations

import builtins
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from keyword import iskeyword
from pathlib import PurePosixPath

from swarm.nouns.messages import Message
from swarm.nouns.prompt import fill
from swarm.planner.planner import examples
from swarm.planner.task_columns import task_columns
from swarm.program.aggregates import aggregates_for
from swarm.program.asked import Asked, Written
from swarm.program.checks import Promise, asking_sentences, asks_object, fields
from swarm.program.contents import Rows, canonical
from swarm.program.select_grammar import select_grammar
from swarm.program.table_schema import Declared, TableSchema

FIRST, SECOND = "select", "select again"
"""Ways to ask for a SELECT: two prompts with other examples and another remark before the SELECT, so that a mistake
which one of them leads to is not made in the other."""
TABLES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".md"})
_COUNTS = re.compile(r"\bhow (?:many|much)\b|\bnumber of\b", re.IGNORECASE)
_NAMES = re.compile(r"\b(?:which|who|whose|what|when|where)\b", re.IGNORECASE)
_REMARK = re.compile(r"^--.*\n", re.MULTILINE)
_REMARKS = {
    FIRST: r'" One row for each " [^;,:\n]{2,40} "; only where " [^\n]{2,140} "\nSELECT"',
    SECOND: r'" Each row is " [^;:\n]{2,40} "; " [^;:\n]{1,20} " counts if " [^\n]{2,140} "\nSELECT"',
}
"""What follows ``--`` in the remark that says, before a SELECT, what it gives: rules of a grammar."""
_EXAMPLES = {FIRST: "", SECOND: "_other"}
"""How the names of the prompts end."""
_BRACKETS = re.compile(r"\([^()]*\)|\{[^{}]*\}|\[[^\[\]]*\]")
_NUMBER = re.compile(
    r"(?<![\w.,/:-])\d+(?:\.\d+)?(?![\w/:-]|[.,]\d)(?!\s*(?:decimal|digit|place|column|file|key))"
)
_RANGE = re.compile(r"(?<!\w)-\d+(?:\.\d+)?\s+(?:and|to)\s+\+?\d+(?:\.\d+)?")
"""What some figure may be, as a coefficient between -1 and 1: no condition."""
_SHOWN = re.compile(r'\{\s*"[A-Za-z_]\w*"\s*:[^{}]{0,400}\}')
_KEY = re.compile(r'"([A-Za-z_]\w*)"\s*:')
_COUNTED = re.compile(r"\bCOUNT\((?!\s*DISTINCT\b)[^()]*\)\s+AS\s+(\w+)", re.IGNORECASE)
_TABLE = re.compile(r"\bFROM\s+(\"(?:[^\"]|\"\")+\"|\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class SelectPart:
    """One SELECT that is wanted."""

    file: str
    """What its rows go to; empty for the answer."""
    columns: tuple[str, ...] = ()
    counts: bool = False
    """Whether one row of counts and sums is asked for."""
    question: str = ""
    is_object: bool = False
    """Whether the file is to hold one JSON object."""

    @property
    def wanted(self) -> str:
        """What is asked for, in words."""
        named = f" with the columns {', '.join(self.columns)}" if self.columns else ""
        if not self.file:
            return f"Write the SELECT that answers{named}: {self.question}"
        return f"Write the SELECT for {self.file}{named}."


def parts_of(promise: Promise) -> tuple[SelectPart, ...]:
    """What SELECTs a step needs; none where it promises a file that is no table, as a report in prose."""
    endings = {name: PurePosixPath(name).suffix.lower() for name in promise.files}
    if any(
        ending not in TABLES or (ending == ".md" and not task_columns(name, promise.task))
        for name, ending in endings.items()
    ):
        return ()
    expected = tuple(fields(promise.step.expects))
    found: list[SelectPart] = []
    for name in promise.files:
        named = tuple(task_columns(name, promise.task)) or (expected if name == promise.step.writes else ())
        is_object = name.lower().endswith(".json") and asks_object(name, promise.task)
        if is_object:
            named = named or _shown_keys(name, promise.task)
        found.append(SelectPart(name, named, counts=is_object, is_object=is_object))
    if promise.is_last and (asked := asking_sentences(promise.task)):
        answers = () if promise.step.writes else expected
        found.append(SelectPart("", answers, counts=not answers and _counts(asked), question=asked))
    if not found:
        found.append(
            SelectPart(
                "", expected, counts=not expected and _counts(promise.task), question=promise.step.brief
            )
        )
    return tuple(found)


def _shown_keys(name: str, task: str) -> tuple[str, ...]:
    """The keys of an object that a task shows behind a file's name, as ``{"open": 0, "paid": 0}``."""
    shown = _SHOWN.search(task.partition(name)[2])
    return tuple(_KEY.findall(shown[0])) if shown else ()


def _counts(question: str) -> bool:
    return _COUNTS.search(question) is not None and _NAMES.search(question) is None


@dataclass(frozen=True)
class Selects:
    """The conversations that ask for the SELECTs of a step, in one way."""

    way: str
    schema: TableSchema
    wanted: tuple[SelectPart, ...]
    parts: tuple[Asked, ...]
    numbers: tuple[str, ...] = ()
    """Those that the task speaks of."""

    def told(self, faults: Sequence[str]) -> Selects:
        """The same, told why earlier programs were ruled out."""
        return replace(self, parts=tuple(part.told(faults) for part in self.parts))

    def programs(self, replies: Sequence[Sequence[str]]) -> list[Written]:
        """The programs that replies to the parts make: the first of what most of them agree on, part by part."""
        drawn = [
            self._ranked([asked.code(text) for text in texts])
            for asked, texts in zip(self.parts, replies, strict=True)
        ]
        count = min(len(selects) for selects in drawn)
        return [self._written([selects[number] for selects in drawn]) for number in range(count)]

    def _written(self, chosen: Sequence[str]) -> Written:
        """The program that one SELECT for each part makes."""
        pairs = zip(self.wanted, map(self._over, chosen), strict=True)
        doubts = dict.fromkeys([
            *self.schema.unread,
            *(doubt for select in chosen for doubt in self._doubts(select)),
        ])
        return Written(
            "\n".join(_lines(part, query) for part, query in pairs), "; ".join(filter(None, doubts))
        )

    def _ranked(self, selects: Sequence[str]) -> list[str]:
        """The SELECTs, those first whose rows most others have too, those last that fail or are empty;
        a value that the task names and a SELECT leaves out speaks against it."""
        forms = [self._form(self._over(select)) for select in selects]
        counted = Counter(form for form in forms if form)
        lacks = [self._unheeded(select) for select in selects]
        order = sorted(
            range(len(selects)),
            key=lambda at: (not forms[at], bool(lacks[at]), -counted[forms[at]], forms.index(forms[at])),
        )
        return [selects[at] for at in order]

    def _table(self, select: str) -> Declared | None:
        found = _TABLE.search(_REMARK.sub("", select))
        name = found[1].strip('"').casefold() if found else ""
        return next((table for table in self.schema.tables if table.name.casefold() == name), None)

    def _over(self, select: str) -> str:
        table = self._table(select)
        return table.within(select) if table else select

    def _unheeded(self, select: str) -> str:
        """What the task names and the SELECT says nothing of: a value of a column that holds few, or a number; empty
        where there is nothing."""
        table, said = self._table(select), select.casefold()
        for column, value in table.named if table else ():
            if column.casefold() not in said and value.casefold() not in said:
                return f"the task speaks of {column} {value!r}, and the query says nothing of it"
        lacking = next((one for one in self.numbers if not re.search(rf"(?<!\d){one}(?!\d)", said)), "")
        return f"the task speaks of {lacking}, and the query says nothing of it" if lacking else ""

    def _doubts(self, select: str) -> list[str]:
        """All that speaks against what a SELECT gives."""
        table, said = self._table(select), f"{select.casefold()} "
        of_columns = [why for part, why in (table.doubts if table else ()) if part.casefold() in said]
        return [self._unheeded(select), self._counted(select), *of_columns]

    def _counted(self, select: str) -> str:
        """Rows of one table that are counted as things of another: each thing comes as often as it has rows."""
        table = self._table(select)
        for alias in _COUNTED.findall(select) if table else ():
            thing = alias.casefold().removesuffix("s")
            of = next((name for name in self.schema.names if name.casefold().removesuffix("s") == thing), "")
            if table and of and of != table.name and not table.name.startswith(f"{of}_and_"):
                return f"{alias} counts rows of {table.name}, of which one of {of} may have several"
        return ""

    def _form(self, query: str) -> str:
        """What a SELECT gives, in canonical form; empty where it fails or gives nothing."""
        try:
            rows = self.schema.rows(query)
        except (ValueError, OSError):
            return ""
        if not rows:
            return ""
        names = tuple(rows[0])
        return json.dumps(
            canonical(Rows(names, tuple(tuple(row[name] for name in names) for row in rows))), sort_keys=True
        )


def selects(schema: TableSchema, promise: Promise, question: SelectContext) -> list[Selects]:
    """The two ways to ask for the SELECTs of a step; none where there is no table or nothing that a SELECT gives."""
    wanted = parts_of(promise)
    if not (schema.tables and wanted):
        return []
    numbers = _numbers(promise.task, promise.survey.paths)
    return [
        Selects(
            way,
            schema,
            wanted,
            tuple(_asked(schema, part, wanted, question, way) for part in wanted),
            numbers,
        )
        for way in (FIRST, SECOND)
    ]


def _numbers(task: str, paths: Sequence[str]) -> tuple[str, ...]:
    """The numbers that a task names, but for those in brackets, which explain, in names of files, and of decimals."""
    bare = _RANGE.sub(" ", _BRACKETS.sub(" ", task))
    found = dict.fromkeys(_NUMBER.findall(bare))
    return tuple(one for one in found if not any(one in path for path in paths))


@dataclass(frozen=True)
class SelectContext:
    """What is told beside the tables: who asks, the notes, the task and the step."""

    instructions: str
    notes: str
    task: str
    step: str
    room: int
    """Tokens of what is told of the tables."""


def _about(part: SelectPart, wanted: Sequence[SelectPart], task: str) -> str:
    """The task without the sentences that only speak of another part: a small model mixes them up."""
    others = [one for one in wanted if one is not part]
    left = task
    for sentence in re.split(r"(?<=[.?!])\s+", task):
        of_others = any(
            one.file in sentence if one.file else bool(part.file) and sentence in one.question
            for one in others
        )
        if of_others and not (part.file and part.file in sentence):
            left = left.replace(sentence, "", 1)
    return " ".join(left.split()) or task


def _asked(
    schema: TableSchema, part: SelectPart, wanted: Sequence[SelectPart], question: SelectContext, way: str
) -> Asked:
    known = aggregates_for(question.task)
    found = "\n".join(filter(None, [schema.told(question.room), *known, question.notes]))
    task = _about(part, wanted, question.task)
    text = fill("select_step", found=found, task=task, step=question.step, wanted=part.wanted)
    name = f"select_{'file' if part.file else 'answer'}_examples{_EXAMPLES[way]}"
    system = Message(role="system", content=fill("select", instructions=question.instructions))
    grammar = select_grammar(schema.tables, part.columns, thought=_REMARKS[way], counts=part.counts)
    messages = (system, *examples(name), Message(role="user", content=text.strip()))
    return Asked(messages, way, "```sql\n--", grammar)


def _variable(file: str) -> str:
    """What a file's rows are called in a program."""
    name = re.sub(r"\W+", "_", PurePosixPath(file).stem).strip("_").lower() if file else "found"
    is_taken = iskeyword(name) or hasattr(builtins, name) or name in {"sql", "save", "answer"}
    return name if name.isidentifier() and not is_taken else f"rows_{name}"


def _lines(part: SelectPart, query: str) -> str:
    """The lines of a program for a SELECT: its rows saved, or answered."""
    name = _variable(part.file)
    quoted = query.strip().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    indented = "\n".join(f"    {line}" if line else "" for line in quoted.split("\n"))
    given = f'{name} = sql("""\n{indented}\n""")\n'
    if not part.file:
        return (
            f"{given}answer({name}[0] if len({name}) == 1 else {name})\n"
            if not part.columns
            else f"{given}answer({name})\n"
        )
    if part.is_object:
        return f"{given}save({part.file!r}, {name}[0] if len({name}) == 1 else {name})\n"
    if part.file.lower().endswith(".json") and not part.columns:
        return (
            f"{given}save({part.file!r}, [[*row.values()][0] if len(row) == 1 else row for row in {name}])\n"
        )
    return f"{given}save({part.file!r}, {name})\n"
