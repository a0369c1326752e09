"""Texts that give their values by labels, ``Customer: Ann Lee``, as one row for each: a column for each label."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from swarm.formed.row import Row, Text, lines_of, typed
from swarm.formed.stamp import LEVELS

COMMON = 0.2
"""Share of the records that have a label from which on it is a column."""
LABELLED = 0.6
"""Share of the texts that have two common labels, from which on their form is this one."""
UNCLEAR = 0.2
"""Share of the texts whose records can't be told apart, from which on there is no table."""
MOST_WORDS = 4
MOST_COLUMNS = 40
MOST_CHARACTERS = 4_000
"""Of a line, in which a label is looked for; a longer line is text."""
FILE, REST = "file", "text"
_LINE = re.compile(
    r"(?P<indent>[ \t]*)(?:(?:[-*+•]|\d{1,3}[.)])[ \t]+|>[ \t]?|#{1,6}[ \t]+)?(?P<bold>\*\*|__)?"
    r"(?P<label>[^\W\d_][\w ()/.'&-]{0,39}?)(?:\*\*|__)?"
    r"(?:[ \t]{0,40}(?P<sign>[:=\uff1a])(?:\*\*|__)?(?!//|:|=)|(?P<gap>\t+|[ ]{2,40}))(?P<value>.*)$"
)
_RULER = re.compile(r"[ \t]*(?:[-=*_~#][ \t]*){3,}$|\f+$")
_HEADING = re.compile(r"#{1,6} |\[.*\]$")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")
_BOLD = re.compile(r"(\*\*|__)(.+)\1")


@dataclass
class Record:
    """What a record gives by labels, and its other lines."""

    values: dict[str, str] = field(default_factory=dict[str, str])
    rest: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class _LabelledLine:
    """A line with its label, if it has one that is a column."""

    raw: str
    name: str = ""
    value: str = ""
    block: int = 0
    """Lines between empty ones, rulers or headings are one block."""
    part: int = 0
    """Lines between rulers or headings."""
    is_indented: bool = False


def field_in(line: str) -> tuple[str, str] | None:
    """The label and the value of a line, the label as a column is called; the value is empty where none stands
    in the line."""
    found = _LINE.match(line) if len(line) <= MOST_CHARACTERS else None
    if found is None or len(found["label"].split()) > MOST_WORDS:
        return None
    label, value = found["label"].strip(), found["value"].strip()
    glued = found["sign"] and found["value"][:1] not in {" ", "\t", ""}
    is_clock = glued and label[-1:].isdigit() and value[:1].isdigit()
    is_place = glued and (value[0] == "\\" or (len(label) == 1 and value[0] == "/"))
    if is_clock or is_place or (found["gap"] and not value):
        return None
    if bold := _BOLD.fullmatch(value):
        value = bold[2]
    name = re.sub(r"\W+", "_", label.lower()).strip("_")
    return (f"{name}_" if name in {FILE, REST} else name), value


def is_labelled(texts: Sequence[Text]) -> bool:
    """Whether most of the texts give their values by labels that are common to them."""
    if not texts:
        return False
    found = [_named(text) for _, text in texts]
    common = _common([names for names, _, _ in found])
    having = sum(len(set(names) & common) >= 2 for names, _, _ in found)
    labelled = sum(names[name] for names, _, _ in found for name in names if name in common)
    lines = sum(lines for _, lines, _ in found)
    if having < LABELLED * len(texts) or labelled < lines / 3 or _is_level(found):
        return False
    unclear = sum(_records(text, common) is None for _, text in texts)
    return unclear <= UNCLEAR * len(texts)


def rows(texts: Sequence[Text]) -> list[Row]:
    """One row for each record: its file, the values of the common labels, and what else it says."""
    common = _common([_named(text)[0] for _, text in texts])
    found = [(path, record) for path, text in texts for record in records(text, common)]
    common = _common([dict.fromkeys(record.values, 1) for _, record in found])
    columns = [*dict.fromkeys(name for _, record in found for name in record.values if name in common)]
    kept: list[Row] = []
    for path, record in found:
        others = [f"{name}: {value}" for name, value in record.values.items() if name not in common]
        rest = "\n".join([*others, *record.rest])
        kept.append({
            FILE: path,
            **{name: record.values.get(name) or None for name in columns},
            REST: rest or None,
        })
    return typed(kept, but={FILE, REST})


def records(text: str, common: Collection[str]) -> list[Record]:
    """The records of a text, by the labels that are columns.

    Where it can't be told where one ends, the text is one record, and a label that comes again has all its
    values, each in a line.
    """
    return _records(text, common) or [_joined(_lines(text, common))]


def _records(text: str, common: Collection[str]) -> list[Record] | None:
    """The records of a text; None where it can't be told where one ends."""
    lines = _lines(text, common)
    if _is_plain(lines):
        return [_joined(lines)]
    for parts in (_by_first_label(lines), _alike(_by(lines, "part")), _alike(_by(lines, "block"))):
        if parts and all(_is_plain(part) for part in parts):
            return [_joined(part) for part in parts]
    return None


def _named(text: str) -> tuple[Counter[str], int, Counter[str]]:
    """The labels of a text with how often they come, the number of its lines, and labels that are levels."""
    names, levels, lines = Counter[str](), Counter[str](), 0
    for line in lines_of(text):
        lines += bool(line.strip())
        if found := field_in(line):
            names[found[0]] += 1
            levels[found[0]] += found[0] in LEVELS and found[0].upper() in line
    return names, lines, levels


def _is_level(found: Sequence[tuple[Counter[str], int, Counter[str]]]) -> bool:
    """Whether most of the labels are levels of a log without times."""
    return sum(levels.total() for _, _, levels in found) * 2 > sum(names.total() for names, _, _ in found)


def _common(seen: Sequence[Collection[str]]) -> set[str]:
    counted = Counter(name for names in seen for name in names)
    least = max(COMMON * len(seen), min(len(seen), 2))
    return {name for name, count in counted.most_common(MOST_COLUMNS) if count >= least}


def _lines(text: str, common: Collection[str]) -> list[_LabelledLine]:
    found: list[_LabelledLine] = []
    block = part = 0
    is_fenced = False
    for line in lines_of(text):
        is_end = _FENCE.match(line) is not None
        is_fenced = is_fenced != is_end
        if is_fenced or is_end:
            found.append(_LabelledLine(line, block=block, part=part))
            continue
        is_ruler, is_heading = _RULER.match(line) is not None, _HEADING.match(line) is not None
        label = None if is_ruler else field_in(line)
        named = label is not None and label[0] in common
        is_part = is_ruler or (is_heading and not named)
        part += is_part
        block += is_part or not line.strip()
        if line.strip() and not is_ruler:
            name, value = label if label and named else ("", "")
            found.append(_LabelledLine(line, name, value, block, part, line[:1] in {" ", "\t"}))
    return found


def _by(lines: list[_LabelledLine], what: str) -> list[list[_LabelledLine]]:
    """The lines of each block or part; those without labels go with the block before them, else with the next."""
    groups: list[list[_LabelledLine]] = []
    for line in lines:
        at = getattr(line, what)
        if groups and getattr(groups[-1][-1], what) == at:
            groups[-1].append(line)
        else:
            groups.append([line])
    kept: list[list[_LabelledLine]] = []
    waiting: list[_LabelledLine] = []
    for group in groups:
        if any(line.name for line in group):
            kept.append([*waiting, *group])
            waiting = []
        elif kept and not _HEADING.match(group[0].raw):
            kept[-1] += group
        else:
            waiting += group
    return [*kept[:-1], [*kept[-1], *waiting]] if kept else []


def _alike(parts: list[list[_LabelledLine]]) -> list[list[_LabelledLine]]:
    """The parts where each but the first shares a label with the largest; others are no records but parts of some."""
    names = [{line.name for line in part if line.name} for part in parts]
    largest = max(names, key=len, default=set[str]())
    return parts if all(one & largest for one in names[1:]) else []


def _by_first_label(lines: list[_LabelledLine]) -> list[list[_LabelledLine]]:
    """The lines from each one on that has the label which comes again first; none where that begins no record:
    it stands within a block, a block without it has labels of others, or the labels come in no one order."""
    counted = Counter(line.name for at, line in enumerate(lines) if line.name and not _goes_on(lines, at))
    anchor = next((line.name for line in lines if counted[line.name] > 1), "")
    labels = [line for line in lines if line.name]
    if not anchor or labels[0].name != anchor:
        return []
    blocks = _by(lines, "block")
    if len(blocks) > 1:
        having = [any(line.name == anchor for line in block) for block in blocks]
        begun = [block for block, has in zip(blocks, having, strict=True) if has]
        first = all(next(line.name for line in block if line.name) == anchor for block in begun)
        inside = {line.name for block in begun for line in block}
        others = {
            line.name
            for block, has in zip(blocks, having, strict=True)
            if not has
            for line in block
            if line.name
        }
        if not first or others & inside:
            return []
    starts = [at for at, line in enumerate(lines) if line.name == anchor and not _goes_on(lines, at)]
    edges = [0, *(_start_of(lines, at) for at in starts[1:]), len(lines)]
    parts = [lines[begin:end] for begin, end in itertools.pairwise(edges)]
    return parts if _is_of_one_order(parts) else []


def _start_of(lines: list[_LabelledLine], at: int) -> int:
    """Where a record begins: what stands before its first label in the same block belongs to it."""
    begin = at
    while begin and not lines[begin - 1].name and lines[begin - 1].block == lines[at].block:
        begin -= 1
    is_opening = not begin or lines[begin - 1].block != lines[at].block
    return begin if is_opening else at


def _is_of_one_order(parts: list[list[_LabelledLine]]) -> bool:
    before: set[tuple[str, str]] = set()
    for part in parts:
        names = [*dict.fromkeys(line.name for line in part if line.name)][:MOST_COLUMNS]
        before |= {(one, other) for at, one in enumerate(names) for other in names[at + 1 :]}
    return not any((other, one) in before for one, other in before)


def _goes_on(lines: list[_LabelledLine], at: int) -> bool:
    """Whether a line has the label of the line right before it: another value of the same."""
    return at > 0 and lines[at].name == lines[at - 1].name and lines[at].block == lines[at - 1].block


def _is_plain(part: list[_LabelledLine]) -> bool:
    """Whether each label comes once, or with further values right behind it."""
    names = [line.name for at, line in enumerate(part) if line.name and not _goes_on(part, at)]
    return len(names) == len(set(names))


def _joined(part: list[_LabelledLine]) -> Record:
    """A record; an indented line goes on with the value before it."""
    record, values = Record(), dict[str, list[str]]()
    last: _LabelledLine | None = None
    for line in part:
        if line.name:
            values.setdefault(line.name, []).append(line.value)
        elif last and line.is_indented and line.block == last.block and field_in(line.raw) is None:
            values[last.name].append(line.raw.strip())
            continue
        else:
            record.rest.append(line.raw.strip())
        last = line if line.name else None
    record.values = {name: "\n".join(said).strip() for name, said in values.items()}
    return record
