"""Groups of files: those of one kind in one folder, with the first lines of one of them.

Walking is bounded and follows no links; what is not looked at is told.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict

from swarm.formed.table import FormedTable
from swarm.safety.text import clean
from swarm.survey.documents import lacks
from swarm.survey.kinds import BINARY, DATA, DATABASE, DOCUMENTS, TABLE, TEXT_KINDS, ending_of, kind_by_name
from swarm.survey.opened import EMPTY, Beginning, beginning_of
from swarm.tabular.endings import IGNORED, JSON

WALK_ENTRIES, WALK_DEPTH, WALK_SECONDS = 500_000, 100, 8.0
"""That one walk looks at; the first two are those of the files server."""
READ_SECONDS = 12.0
"""For reading beginnings: a slow disk must not hold up the plan."""
MOST_GROUPS = 12
"""Groups of texts that stay apart; where there are more, files of one kind become one group over many folders."""
SPLITS = 4
"""More of them that files of many folders may be told of in."""
MOST_KEPT, MOST_SAMPLED, TRIES = 150, 60, 3
"""Groups that are told of, those of which a file is read, and files that are tried of one."""
MOST_APART = 5
"""Files that share no pattern and are told of one by one."""
MOST_PEEKED = 2_000
"""JSON files that are looked into for whether they are tables: as many as are taken for tables."""
UNTOLD = frozenset({"__pycache__", ".git", ".swarm", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
ENVIRONMENT_FILE = "pyvenv.cfg"
"""What makes a folder a virtual environment (PEP 405)."""


class FileGroup(BaseModel):
    """Files of one kind, and the beginning of one of them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pattern: str
    """What matches them; of files that no pattern tells from others, what they are in words."""
    kind: str
    first: str = ""
    """The first path."""
    folder: str = ""
    ending: str = ""
    is_deep: bool = False
    """Whether its files lie in the folders below as well."""
    files: int = 1
    size_bytes: int = 0
    is_exact: bool = True
    """Whether the pattern matches just these files."""
    is_hidden: bool = False
    """Whether their names begin with a dot: no pattern finds such files."""
    sampled: str = ""
    """The file whose first lines these are."""
    lines: tuple[str, ...] = ()
    is_whole: bool = True
    hidden: int = 0
    """Values that were hidden in the lines."""

    @property
    def is_text(self) -> bool:
        """Whether its files are texts."""
        return self.kind in TEXT_KINDS


class Look(BaseModel):
    """What a look at a workspace shows."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    groups: tuple[FileGroup, ...] = ()
    formed: tuple[FormedTable, ...] = ()
    """The tables that the texts make."""
    opaque: dict[str, int] = {}
    """How many files there are of each kind that is not read."""
    unread: tuple[str, ...] = ()
    """Files and folders that could not be read, each with its reason."""
    left_out: tuple[str, ...] = ()
    """Folders that were not looked into."""
    more: str = ""
    """What is not told of, in words."""


@dataclass
class _Gathered:
    """Files that are one group, while they are gathered."""

    folder: str
    ending: str
    kind: str
    is_hidden: bool = False
    is_deep: bool = False
    """Whether it reaches into the folders below."""
    is_alone: bool = False
    """Whether no pattern tells its files from others of their folder."""
    files: int = 0
    size_bytes: int = 0
    first: list[str] = field(default_factory=list[str])
    """The first paths."""

    def add(self, path: str, size_bytes: int, files: int = 1) -> None:
        self.files += files
        self.size_bytes += size_bytes
        if len(self.first) < MOST_APART:
            self.first.append(path)


@dataclass
class _Walk:
    workspace: Path
    entries: int = WALK_ENTRIES
    until: float = 0.0
    left_out: list[str] = field(default_factory=list[str])
    unread: list[str] = field(default_factory=list[str])
    more: str = ""
    peeked: int = 0


def look_at(workspace: Path) -> Look:
    """The groups of files in a folder, in the order of their first paths."""
    walk = _Walk(workspace, until=time.monotonic() + WALK_SECONDS)
    gathered = [group for folder in _folders(walk) for group in folder]
    opaque = Counter[str]()
    texts: list[_Gathered] = []
    for group in gathered:
        if group.kind and group.kind not in TEXT_KINDS and group.kind not in DOCUMENTS:
            opaque[group.kind] += group.files
        else:
            texts.append(group)
    shown = sorted(_fitting(texts, walk, gathered), key=lambda one: one.first[0])
    groups = [*_sampled(workspace, shown, walk, opaque)]
    told = {kind: count for kind, count in sorted(opaque.items()) if kind not in {TABLE, DATABASE}}
    return Look(
        groups=tuple(groups),
        opaque=told,
        unread=tuple(walk.unread),
        left_out=tuple(name for name in walk.left_out if PurePosixPath(name).name not in UNTOLD),
        more=walk.more,
    )


def _folders(walk: _Walk) -> Iterator[list[_Gathered]]:
    """The groups of each folder."""
    waiting = [("", 0)]
    while waiting:
        folder, depth = waiting.pop()
        if walk.entries <= 0 or time.monotonic() > walk.until:
            walk.more = f"{len(waiting) + 1} more folders were too much to look into"
            return
        try:
            files, inner = _entries(walk, folder)
        except OSError as error:
            walk.unread.append(f"{folder or '.'}/: it can't be read ({error.strerror})")
            continue
        yield _parted(folder, files, walk)
        if depth < WALK_DEPTH:
            waiting += [(name, depth + 1) for name in reversed(inner)]
        elif inner:
            walk.left_out += inner


def _entries(walk: _Walk, folder: str) -> tuple[list[tuple[str, int]], list[str]]:
    """The files of a folder with their sizes, and the folders in it that are looked into."""
    files: list[tuple[str, int]] = []
    inner: list[str] = []
    with os.scandir(walk.workspace / folder) as scan:
        for entry in scan:
            walk.entries -= 1
            if walk.entries <= 0:
                break
            if entry.is_dir(follow_symlinks=False):
                inner.append(entry.name)
            elif entry.is_file(follow_symlinks=False) and _is_named(entry.name):
                files.append((entry.name, entry.stat(follow_symlinks=False).st_size))
    if folder and any(name == ENVIRONMENT_FILE for name, _ in files):
        walk.left_out.append(folder)
        return [], []
    kept: list[str] = []
    for name in sorted(inner):
        path = f"{folder}/{name}" if folder else name
        (walk.left_out if name.startswith(".") or name in IGNORED else kept).append(path)
    return sorted(files), kept


def _is_named(name: str) -> bool:
    """Whether a file is told of: one whose name can't be written is told of by the listing."""
    return name not in UNTOLD and name == clean(name) and name.isprintable()


def _parted(folder: str, files: Sequence[tuple[str, int]], walk: _Walk) -> list[_Gathered]:
    """The files of one folder as groups of one kind and ending."""
    found: dict[tuple[str, str, bool], _Gathered] = {}
    total = sum(not name.startswith(".") for name, _ in files)
    for name, size_bytes in files:
        path = f"{folder}/{name}" if folder else name
        is_hidden = name.startswith(".")
        kind, ending = kind_by_name(name), name if is_hidden else ending_of(name)
        if kind == TABLE and name.lower().endswith(JSON[0]) and not _is_table(walk, path):
            kind = DATA
        key = (ending, kind, is_hidden)
        group = found.setdefault(key, _Gathered(folder, ending, kind, is_hidden))
        group.add(path, size_bytes)
    endings = Counter(group.ending for group in found.values() if not group.is_hidden)
    parted: list[_Gathered] = []
    for group in found.values():
        group.is_alone = (
            group.files > 1
            and not group.is_hidden
            and (endings[group.ending] > 1 or (not group.ending and group.files < total))
        )
        parted += _apart(group, dict(files), folder) if group.is_alone else [group]
    return parted


def _apart(group: _Gathered, sizes: dict[str, int], folder: str) -> list[_Gathered]:
    """Few files that share no pattern, each as a group of its own."""
    if group.files > MOST_APART:
        return [group]
    apart: list[_Gathered] = []
    for path in group.first:
        one = _Gathered(folder, group.ending, group.kind)
        one.add(path, sizes[PurePosixPath(path).name])
        apart.append(one)
    return apart


def _is_table(walk: _Walk, path: str) -> bool:
    """Whether a JSON file begins as a list of objects does."""
    walk.peeked += 1
    if walk.peeked > MOST_PEEKED:
        return True
    try:
        handle = os.open(walk.workspace / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            head = file.read(4_096)
    except OSError:
        return True  # Whoever reads the tables says why it can't be read.
    plain = head.translate(None, b"\0\xff\xfe\xef\xbb\xbf \t\r\n")
    return plain[:2] in {b"[{", b"[]"} or not plain


def _fitting(groups: Sequence[_Gathered], walk: _Walk, everything: Sequence[_Gathered]) -> list[_Gathered]:
    """At most ``MOST_GROUPS`` groups where files of one ending can be told of together, over folders."""
    if len(groups) <= MOST_GROUPS:
        return [*groups]
    alike: dict[object, list[_Gathered]] = defaultdict(list)
    for group in groups:
        alike[group.ending, group.kind, group.is_hidden, group.is_alone].append(group)
    bundles = [("", members) for members in alike.values()]
    most = min(MOST_GROUPS, len(bundles)) + SPLITS
    whole: set[int] = set()
    ignored = [name for name in walk.left_out if _may_be_matched(name)]
    while (at := _largest(bundles, whole, ignored)) is not None:
        parts = _split(*bundles[at])
        # Files of one folder that share no pattern stay one part for ever.
        is_split = len(parts) > 1 or parts[0][0] != bundles[at][0]
        if is_split and len(bundles) - 1 + len(parts) <= most:
            bundles[at : at + 1] = parts
        else:
            whole.add(id(bundles[at][1]))
    kinds: dict[str, list[_Gathered]] = defaultdict(list)
    for group in everything:
        kinds[group.ending].append(group)
    return [_joined(top, members, kinds, ignored) for top, members in bundles]


def _may_be_matched(folder: str) -> bool:
    """Whether a pattern finds files in a folder that was not looked into."""
    name = PurePosixPath(folder).name
    return not name.startswith(".") and name != "__pycache__"  # It holds no texts.


def _largest(
    bundles: Sequence[tuple[str, list[_Gathered]]], whole: set[int], ignored: Sequence[str]
) -> int | None:
    """Which bundle has the most files of those that may be split; first those whose pattern would match files
    in a folder that was not looked into."""
    may = [n for n, (_, members) in enumerate(bundles) if len(members) > 1 and id(members) not in whole]

    def weight(n: int) -> tuple[bool, int, int]:
        top, members = bundles[n]
        return any(_is_below(name, top) for name in ignored), sum(one.files for one in members), -n

    return max(may, key=weight, default=None)


def _split(top: str, members: Sequence[_Gathered]) -> list[tuple[str, list[_Gathered]]]:
    """A bundle by the folders right below its own."""
    parts: dict[str, list[_Gathered]] = defaultdict(list)
    for member in members:
        inner = member.folder[len(top) :].lstrip("/").split("/")[0]
        parts["/".join(filter(None, [top, inner]))].append(member)
    return [*parts.items()]


def _joined(
    top: str, members: list[_Gathered], kinds: dict[str, list[_Gathered]], ignored: Sequence[str]
) -> _Gathered:
    """The members of a bundle as one group; it is exact where its pattern would match nothing else."""
    if len(members) == 1:
        return members[0]
    one = members[0]
    whole = _Gathered(top, one.ending, one.kind, one.is_hidden, is_deep=True)
    for member in sorted(members, key=lambda one: one.first[0]):
        whole.add(member.first[0], member.size_bytes, member.files)
    own = {id(member) for member in members}
    whole.is_alone = not one.is_hidden and (
        one.is_alone
        or not one.ending
        or any(_is_below(name, top) for name in ignored)
        or any(id(other) not in own and _is_below(f"{other.folder}/", top) for other in kinds[one.ending])
    )
    return whole


def _is_below(path: str, top: str) -> bool:
    return not top or path.startswith(f"{top}/")


def _sampled(
    workspace: Path, shown: Sequence[_Gathered], walk: _Walk, opaque: Counter[str]
) -> Iterator[FileGroup]:
    """The groups with the first lines of a file of each, as far as there is time for it."""
    until = time.monotonic() + READ_SECONDS
    if len(shown) > MOST_KEPT:
        left = shown[MOST_KEPT:]
        files = sum(group.files for group in left)
        walk.more = "; ".join(filter(None, [walk.more, f"{files:,} more files in {len(left):,} groups"]))
    kept = shown[:MOST_KEPT]
    wanted = {id(one) for one in [*_one_of_each_kind(kept), *(one for one in kept if not one.kind)]}
    late = 0
    for group in kept:
        is_read = id(group) in wanted and time.monotonic() < until
        late += id(group) in wanted and not is_read
        sampled, beginning = _read(workspace, group, walk) if is_read else ("", Beginning(group.kind))
        kind = beginning.kind or "file that was not looked at"
        if kind not in TEXT_KINDS and kind not in DOCUMENTS:
            opaque[kind] += group.files
            continue
        yield FileGroup(
            pattern=_pattern(group),
            kind=kind,
            first=group.first[0],
            folder=group.folder,
            ending=group.ending,
            is_deep=group.is_deep,
            files=group.files,
            size_bytes=group.size_bytes,
            is_exact=not group.is_alone,
            is_hidden=group.is_hidden,
            sampled=sampled if beginning.lines else "",
            lines=beginning.lines,
            is_whole=beginning.is_whole,
            hidden=beginning.hidden,
        )
    if late:
        said = f"files of {late} groups were not opened, as reading took over {READ_SECONDS:g} s"
        walk.more = "; ".join(filter(None, [walk.more, said]))


def _one_of_each_kind(groups: Sequence[_Gathered]) -> list[_Gathered]:
    """The groups to read a file of: one of each kind first, then as they come."""
    firsts = list({group.kind: group for group in reversed(groups)}.values())
    rest = [group for group in groups if all(group is not first for first in firsts)]
    return [*firsts, *rest][:MOST_SAMPLED]


def _read(workspace: Path, group: _Gathered, walk: _Walk) -> tuple[str, Beginning]:
    """The beginning of the first of its files that can be read."""
    beginning = Beginning(group.kind or BINARY)
    if group.kind in DOCUMENTS and (why := lacks(group.kind)):
        walk.unread.append(f"{_pattern(group)}: {why}")
        return "", beginning
    for path in group.first[:TRIES]:
        beginning = beginning_of(workspace / path, group.kind)
        if beginning.unread:
            walk.unread.append(f"{path}: {beginning.unread}")
        elif beginning.lines != EMPTY:
            return path, beginning
    return "", beginning


def _pattern(group: _Gathered) -> str:
    """What matches the files of a group; in words where nothing matches them alone."""
    if group.files == 1:
        return escaped(group.first[0])
    name = f"*{group.ending if group.ending.endswith('[0-9]*') else escaped(group.ending)}"
    name = group.ending if group.is_hidden else name
    if group.is_alone:
        rest = " that are no tables" if group.kind == DATA else ""
        what = f"{name}{rest}" if group.ending else "files without ending"
        return f"{what} {'below' if group.is_deep else 'in'} {group.folder or '.'}/"
    folder = f"{escaped(group.folder)}/" if group.folder else ""
    return f"{folder}{'**/' * group.is_deep}{name}"


def escaped(path: str) -> str:
    """A path as a pattern that matches it alone."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)
