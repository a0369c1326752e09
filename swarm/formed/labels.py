"""Texts that give their values by labels, ``Customer: Ann Lee``, as one row for each: a column for each label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from swarm.formed.row import Row, Text, typed

COMMON = 0.2
"""Share of the records that have a label from which on it is a column."""
LABELLED = 0.6
"""Share of the texts that have two common labels, from which on their form is this one."""
MOST_WORDS = 4
MOST_COLUMNS = 40
FILE, REST = "file", "text"
_LINE = re.compile(
    r"^[ \t]{0,3}(?:[-*+] )?(?:\*\*|__)?(?P<label>[^\W\d_][\w ()/.'&-]{0,39}?)(?:\*\*|__)?"
    r"(?:[ \t]*[:=](?:\*\*|__)?(?!//|:)|\t|[ ]{2,})[ \t]*(?P<value>\S.*?)[ \t]*$"
)


def field_in(line: str) -> tuple[str, str] | None:
    """The label and the value of a line, the label as a column is called."""
    found = _LINE.match(line)
    if found is None or len(found["label"].split()) > MOST_WORDS:
        return None
    name = re.sub(r"\W+", "_", found["label"].strip().lower()).strip("_")
    return (f"{name}_" if name in {FILE, REST} else name), found["value"]


def records(text: str) -> list[dict[str, str]]:
    """The records of a text: another one begins where a label comes again. Other lines are its ``text``."""
    found: list[dict[str, str]] = []
    record: dict[str, str] = {}
    for line in text.splitlines():
        field = field_in(line)
        if field is None:
            if line.strip():
                record[REST] = f"{record.get(REST, '')}\n{line.strip()}".strip()
            continue
        name, value = field
        if name in record:
            found.append(record)
            record = {}
        record[name] = value
    return [*found, record] if record else found


def is_labelled(texts: Sequence[Text]) -> bool:
    """Whether most of the texts give their values by labels that are common to them."""
    seen = [{name for record in records(text) for name in record} - {REST} for _, text in texts]
    common = _common(seen)
    fields = sum(len(names & common) >= 2 for names in seen)
    lines = [line for _, text in texts for line in text.splitlines() if line.strip()]
    labelled = sum(field_in(line) is not None for line in lines)
    return bool(texts) and fields >= LABELLED * len(texts) and labelled >= len(lines) / 3


def rows(texts: Sequence[Text]) -> list[Row]:
    """One row for each record: its file, the values of the common labels, and what else it says."""
    found = [(path, record) for path, text in texts for record in records(text) or [{}]]
    common = _common([set(record) - {REST} for _, record in found])
    columns = [*dict.fromkeys(name for _, record in found for name in record if name in common)]
    kept: list[Row] = []
    for path, record in found:
        others = [f"{name}: {value}" for name, value in record.items() if name not in {*common, REST}]
        rest = "\n".join(filter(None, [*others, record.get(REST, "")]))
        kept.append({FILE: path, **{name: record.get(name) for name in columns}, REST: rest or None})
    return typed(kept, but={FILE, REST})


def _common(seen: Sequence[set[str]]) -> set[str]:
    counted = Counter(name for names in seen for name in names)
    least = max(COMMON * len(seen), min(len(seen), 2))
    return {name for name, count in counted.most_common(MOST_COLUMNS) if count >= least}
