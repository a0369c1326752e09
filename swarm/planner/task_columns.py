"""The columns that a task lists for a file, read from its words. What is not plainly a list of columns gives none."""

from __future__ import annotations

import re
from itertools import islice

_COUNT = r"(?:(?:these|following|two|three|four|five|six|seven|eight|nine|ten|\d+)\s+)*"
_NOUN = (
    r"(?:columns?(?:\s+(?:names?|headers?|headings?))?|fields?|keys|headers?(?:\s+(?:row|line))?|headings)"
)
_ARE = r"(?:\s+(?:are|being|called|named|(?:shall|should|must|will)\s+be|in\s+this\s+order))?"
_NAMED = rf"(?:(?:the|its|a|just|only|exactly|whose)\s+)*{_COUNT}{_NOUN}{_ARE}\s*:?\s+"
_TABLE = (
    r"(?:(?:just|only|simply|as|in|with|containing|(?:it|this)(?:\s+(?:shall|should|must|will))?\s+(?:is|be))\s+)*"
    r"(?:(?:a|an|one|the)\s+)?(?:(?:single|plain|simple|small|short|markdown|md|csv|tsv|json|html|new)\s+)*"
    r"(?:table|list|csv|file)(?:\s+in\s+(?:markdown|csv|json))?(?:\s+of\s+(?:objects|rows|records|entries|dicts))?"
)
_LINK = rf"(?:,?\s+(?:with|having|giving|listing|containing|showing)\s+|\s*:\s+|\s*\(|[,;]?\s+(?=(?:of\s+)?{_NAMED})(?:of\s+)?)"
_EACH_ROW = r"(?:a|one)\s+(?:row|line|entry)\s+(?:per|for\s+(?:each|every))\s+[^.;:?!,()]{1,60}:\s+"
_MUST = r"(?:(?:shall|should|must|will|needs?\s+to)\s+)?"
_SENTENCE = r"[^.;?!]{0,80}[.;]\s+"
_VERB = r"(?P<verb>with|giving|listing|containing|having|holding|showing)"
_INTROS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # out.csv with a, b and c · out.csv (a; b) · out.md with one table: a | b
        rf"(?:,?\s+{_VERB}\s+|\s*,?\s*\()(?:{_TABLE}{_LINK}|{_EACH_ROW})?(?P<named>{_NAMED})?",
        # out.csv, columns a and b · out.csv has the columns a, b
        rf"\s*(?:[,;:]?\s+(?:it\s+)?(?:gets?|has|have|having|and|{_MUST}(?:have|contain|hold))\s+|\s+(?=the\s)|[;,:\u2013\u2014]\s*|\s[-\u2013\u2014]\s)(?P<named>{_NAMED})",
        # out.md. Just a table with a, b · out.md: a table (columns a, b) · out.md as a table: a, b
        rf"(?:\s*[.;:,\u2013\u2014-]\s*|\s+(?=as\s)){_TABLE}{_LINK}(?P<named>{_NAMED})?",
        # out.csv is to be made with the columns a, b
        rf"\s+(?:is|are|shall|should|must|will)\s+(?:to\s+)?be\s+(?:made|written|created|filled)\s+{_VERB}\s+(?P<named>{_NAMED})",
        # … out.csv from the logs. It shall have the columns a, b
        rf"{_SENTENCE}(?:it|the (?:file|table))\s+{_MUST}"
        rf"(?:have|has|gets?|holds?|contains?)\s+(?P<named>{_NAMED})",
        # … out.csv from the logs. Columns: a, b · Its columns are a, b
        rf"{_SENTENCE}(?P<named>(?:(?:its|the|use|with)\s+)*{_COUNT}{_NOUN}"
        r"(?:\s*:|\s+(?:are|(?:shall|should|must|will)\s+be)\s*:?)\s+)",
    )
)
"""What leads from a file to the list of its columns; ``named`` where they are called columns."""
_HEADER = re.compile(
    r"\s*[:;,\u2013\u2014-]?\s*(?P<list>`?\w+(?:\s*\|\s*\w[\w ]*)+`?|(?<=[:;\u2013\u2014] )`?\w+(?:([,;])\w+){2,}`?)"
)
"""``out.csv: a | b | c`` and ``out.csv: a,b,c``, as the first line of a file has them."""
_WORDS = re.compile(r"\s*:\s+(?P<list>[A-Za-z]\w*(?:,\s+[A-Za-z]\w*)+)(?=[.;?!\n]|$)")
"""``out.csv: a, b, c.``, where nothing else stands in the sentence."""
_BEFORE = (
    re.compile(
        r"\b(?P<lead>\w+\s+)?(?:a|an|one)\s+(?:[\w-]+\s+){0,3}?(?:file|table|list|sheet|csv)\s+(?:with|having|of|containing)\s+"
        rf"(?P<named>{_NAMED})(?P<list>[^.;:?!]+?),?\s+(?:(?:which\s+is\s+|and\s+is\s+)?(?:called|named)|in|into|to|as"
        r"|and\s+(?:save|write|put|call|name)\s+it(?:\s+(?:as|to|in|into))?)\s+(?:the\s+file\s+)?$",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?:write|save|put|export)\s+(?:(?:just|only)\s+)?(?P<named>{_NAMED})(?P<list>[^.;:?!]+?)"
        r"\s+(?:to|into|in)\s+(?:the\s+file\s+)?$",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:write|save|put|export)\s+(?P<list>[^.;:?!()]+?)\s+(?:for|of)\s+(?:each|every)\s+[^.;:?!,]*?\s*,?"
        r"\s+(?:to|into|in)\s+(?:the\s+file\s+)?$",
        re.IGNORECASE,
    ),
    re.compile(
        r"\bfor\s+(?:each|every)\s+[^.;:?!,]{1,60},\s+(?:write|save|put|export)\s+(?P<list>[^.;:?!()]+?)"
        r"\s+(?:to|into|in)\s+(?:the\s+file\s+)?$",
        re.IGNORECASE,
    ),
)
"""What stands before a file: a table with the columns a, b called out.csv · write a, b for each order to out.csv."""
_SOURCE = {
    "from",
    "of",
    "convert",
    "turn",
    "transform",
    "given",
    "take",
    "read",
    "like",
    "than",
    "has",
    "have",
    "is",
}
"""Before «a table with the columns …»: it is one that is there."""
_TABLES = (".csv", ".tsv", ".json", ".jsonl")
_SHEETS = (".csv", ".tsv")
_QUOTED_BEHIND = re.compile(r"^[`'\"»”*]{1,3}")
_QUOTED_BEFORE = re.compile(r"[`'\"«“*]{1,3}$")
_BULLET = re.compile(r"[ \t]*(?:[-*•]|\d+[.)])[ \t]+(?P<item>[^\n]+)(?:\n|$)")
_EXPLAINED = re.compile(r"\s*(?:[:=(\u2013\u2014]|\s-\s).*")
_MORE = re.compile(
    r"\s(?:for|of|being|where|which|that|with|in|from|as|per|rounded|to\s(?:the\s)?(?:nearest|whole|full|cent|one|two|three|four|no|\d))\b.*",
    re.DOTALL,
)
_ASIDE = re.compile(r"^(?:(?:the|its|a|an|also|then|finally)\s)+")
_ARTICLE = re.compile(r"\b(?:the|an?)\s", re.IGNORECASE)
_AND = re.compile(r",\s*(?:and|plus)\s+|,\s*&\s*|,\s*|\s+(?:and|plus|&)\s+")
_EACH = re.compile(r"\s(?:for|of|per)\s+(?:each|every|all)\b", re.IGNORECASE)
_TAIL = re.compile(
    r"(?:sorted|ordered|grouped|rounded|separated|delimited)\b|(?:sort|order)\s(?:by|it|them)\b|(?:newest|oldest|latest"
    r"|earliest|\w+est|most\s\w+|least\s\w+)\s(?:\w+\s)?first\b|in\s(?:this|that|the|alphabetical|descending|ascending|reverse"
    r"|chronological|markdown|csv)\b|(?:for|where|which|that|without|no|with|using|by|per|both|all|so|but|if|when|one|each|every"
    r"|nothing|from\s(?:the|all|each))\s",
)
"""What goes on about the table behind its columns."""
_A_ROW = re.compile(r"an? (?:row|line|entry)\b")
_SORTING = re.compile(r"(?:sort|order|group)(?:ed)?\sby\b|separated\b|delimited\b")
_MORE_COLUMNS = re.compile(
    r";\s*(?:also|and|plus|add)\b|\b(?:also|add|adds|added|additional\w*|plus|further|another|extra|more)\b[^.;?!]{0,40}\bcolumns?\b",
    re.IGNORECASE,
)
"""What tells that a list of columns has more somewhere else."""
_NO_NAME = re.compile(
    r"\b(?:all|every|each|any|some|same|other|their|your|my|our|it|them|this|these|those|everything|nothing|not|please|left"
    r"|dropped|removed|omitted|ignored|excluded|skipped|stays?|should|must|shall|will|would|can|may|is|are|was|were|be|has"
    r"|have|do|does|separated|delimited|utf|i|we|you|there|who|what|why|how|and|or|of|below|above|care|columns?|if|when"
    r"|than|only|sure|that|which|whose|commas?|semicolons?|headers?)\b"
)
"""Words that no name has, unless it is written as one word."""
_OPEN, _CLOSE = "([", ")]"
MOST_MENTIONS = 20
"""Of a file, that are looked at."""
MOST_BEHIND = 2_000
"""Characters behind a mention of a file that are looked at; a list that goes on behind them is none."""
MOST_BEFORE = 400
"""Characters before it."""


def task_columns(file: str, task: str) -> list[str]:
    """The columns that a task lists where it names a file, as names; none where it lists none."""
    if not file:
        return []
    mentions = re.finditer(rf"(?<![\w/.-])(?:\./)?{re.escape(file)}(?![\w/-]|\.\w)", task)
    for found in islice(mentions, MOST_MENTIONS):
        behind = _QUOTED_BEHIND.sub("", task[found.end() : found.end() + MOST_BEHIND])
        before = _QUOTED_BEFORE.sub("", task[max(found.start() - MOST_BEFORE, 0) : found.start()])
        # A bracket that nobody closes ends no list: what is cut off may belong to it.
        is_cut = len(task) > found.end() + MOST_BEHIND
        if names := _behind(f"{behind}(" if is_cut else behind, is_sheet=file.endswith(_SHEETS)) or _before(
            before, file
        ):
            return [] if _MORE_COLUMNS.search(behind) else names
    return []


def _behind(text: str, *, is_sheet: bool) -> list[str]:
    """The columns that are listed from the beginning of a text on, behind a file that can hold nothing but a table or
    not."""
    for form in _INTROS:
        if (found := form.match(text)) is None:
            continue
        groups = found.groupdict()
        is_named = bool(groups.get("named"))
        names = _names(text[found.end() :], is_named=is_named)
        if names and (is_named or not groups.get("verb") or not all(map(_is_plural, names))):
            return names
    header = _HEADER.match(text) or (_WORDS.match(text) if is_sheet else None)
    return _names(header["list"], is_named=False) if header else []


def _before(text: str, file: str) -> list[str]:
    """The columns that are listed right before a file, in the same sentence."""
    sentence = re.split(r"[.?!;]\s|\n\n", text)[-1]
    for form in _BEFORE:
        found = form.search(sentence)
        if found is None or (found.groupdict().get("lead") or "").strip().lower() in _SOURCE:
            continue
        is_named = "named" in found.groupdict()
        names = _names(found["list"], is_named=is_named)
        if is_named or (
            file.endswith(_TABLES) and not any(map(_is_plural, names)) and not _ARTICLE.search(found["list"])
        ):
            return names
    return []


def _is_plural(name: str) -> bool:
    return re.search(r"[^siu]s$", name) is not None


def _names(text: str, *, is_named: bool) -> list[str]:
    """The names in a list that a text begins with; none where one is no name, or where it is one alone and is not
    called a column."""
    items = _bullets(text) if is_named else []
    items = items or _items(_extent(text))
    names: list[str] = []
    for at, item in enumerate(items):
        if names and _TAIL.match(item):
            if not _is_tail(items[at:]):
                return []
            break
        name = _name(item)
        if not name:
            return []
        names.append(name)
    names = [*dict.fromkeys(names)]
    return names if is_named or len(names) > 1 else []


def _is_tail(items: list[str]) -> bool:
    """Whether no column comes in these items any more: each goes on about the table, or how it is sorted."""
    sorting = next((at for at, item in enumerate(items) if _SORTING.match(item)), len(items))
    return all(_TAIL.match(item) for item in items[:sorting])


def _bullets(text: str) -> list[str]:
    """The items of a list that has a line for each."""
    items: list[str] = []
    at = len(text) - len(text.lstrip("\n"))
    while found := _BULLET.match(text, at):
        items.append(_EXPLAINED.sub("", found["item"].lower()).strip(" .,;"))
        at = found.end()
    return items


def _extent(text: str) -> str:
    """The list that a text begins with, without what stands in brackets in it: it ends with its clause."""
    if text.lstrip().startswith("|"):
        return text.strip().split("\n")[0].strip("| ")
    depth, kept = 0, ""
    for at, sign in enumerate(text):
        rest = text[at + 1 :]
        if sign in _CLOSE and not depth:
            break
        depth += (sign in _OPEN) - (sign in _CLOSE)
        if depth or sign in _CLOSE:
            continue
        is_end = sign in "?!" or (sign in ".:" and not re.match(r"\w", rest))
        if is_end or (sign == "\n" and not _goes_on(kept, rest)):
            break
        kept += sign
    # What stands in brackets that nobody closes is not known to be an explanation.
    return "" if depth else kept


def _goes_on(before: str, rest: str) -> bool:
    return (
        before.rstrip().endswith((",", "|", ";", "/", " and"))
        or re.match(r"[ \t]*[a-z`'\"]", rest) is not None
    )


def _items(text: str) -> list[str]:
    """The items of a list, in small letters: parted by what parts it."""
    text = text.lower().strip()
    if "|" in text:
        return [item.strip() for item in text.strip("| ").split("|")]
    pieces = [piece.strip() for piece in text.split(";")]
    if len(pieces) > 1:
        if all(re.fullmatch(r"[`'\"]?\w+(?: \w+)?[`'\"]?(?:\s*=.*)?", piece) for piece in pieces):
            return [piece.partition("=")[0].strip() for piece in pieces]
        text = pieces[0]
    if re.fullmatch(r"[`'\"]?\w+(?:\s?/\s?\w+)+[`'\"]?(?:\s(?:for|of|in)\s.*)?", text, re.DOTALL):
        return [item.strip() for item in _MORE.sub("", text).split("/")]
    return _explained(_of_each([item.strip() for item in _AND.split(text)], text))


def _of_each(items: list[str], text: str) -> list[str]:
    """The items up to the one that says for which things there is a row; none where others come behind it."""
    at = next((at for at, item in enumerate(items) if _EACH.search(f" {item}")), len(items))
    rest = items[at + 1 :]
    behind = _EACH.split(text)[-1] if rest else ""
    if rest and "," in behind.split(rest[0])[0] and not _TAIL.match(rest[0]):
        return []
    return items[: at + 1]


def _explained(items: list[str]) -> list[str]:
    """The items without what ``=`` explains; none where a part of an explanation may be taken for an item."""
    first = next((at for at, item in enumerate(items) if "=" in item), len(items))
    if any("=" not in item and not _TAIL.match(item) for item in items[first:]):
        return []
    return [item.partition("=")[0].strip() for item in items]


def _name(item: str) -> str:
    """The name that an item of a list is; empty where it is none."""
    bare = item.strip(" `'\"*»«“”")
    part = _MORE.sub("", _ASIDE.sub("", " ".join(bare.split())))
    if re.search(r"[^\x00-\x7f]|[.:]", part) or _NO_NAME.search(part) or _A_ROW.match(bare):
        return ""
    name = re.sub(r"[^a-z0-9]+", "_", part).strip("_")
    is_one_word = re.fullmatch(r"\w+", part) is not None
    form = r"[a-z]\w{0,39}" if is_one_word else r"[a-z][a-z0-9]*(?:_[a-z0-9]+){0,2}"
    return name if re.fullmatch(form, name) else ""
