"""Looking at a workspace by recorded calls of tools, so that a resumed run sees what it saw before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from pydantic import TypeAdapter, ValidationError

from swarm.errors import ProjectError, ServerError
from swarm.formed.table import FormedTable
from swarm.nouns.plan import Thread
from swarm.nouns.tool import ToolResult
from swarm.survey.databases import stored
from swarm.survey.forming import files_table
from swarm.survey.groups import FileGroup, Look, escaped
from swarm.survey.kinds import DATABASE_ENDINGS, TABLE_ENDINGS, ending_of, is_text
from swarm.survey.overview import Survey, TableGroup, TextGroup
from swarm.work.context import At, Work, one_line
from swarm.work.effects import act

MOST_REASON = 200
_PATHS = TypeAdapter(list[str])


async def survey(work: Work) -> Survey:
    """What lies in the run's workspace, looked up once a run.

    Raises:
        ServerError: the file server could not be asked.
    """
    thread = Thread(run=work.journal.run.id, step="_survey", attempt=0)
    unread: list[str] = []
    listing = await _look(work, At(thread, 0, 0), "files.glob", {"pattern": "**/*"})
    paths, unlisted = listed(listing)
    tables: tuple[TableGroup, ...] = ()
    # Where the files could not be listed, the tool that reads tables may find them all the same.
    if unlisted or any(path.lower().endswith(TABLE_ENDINGS) for path in paths):
        tables = _tables(await _look(work, At(thread, 0, 1), "tables.find", {}), unread)
    has_file = any(path.lower().endswith(DATABASE_ENDINGS) for path in paths)
    asks = has_file or work.has_database
    schema = await _look(work, At(thread, 0, 2), "database.schema", {}) if asks else None
    if has_file and schema is None:
        unread.append("the database: no tool of this project reads it; enable the server 'database'")
    if schema is not None and schema.is_error:
        unread.append(f"the database: {one_line(schema.text, MOST_REASON)}")
    database = "" if schema is None or schema.is_error else schema.text
    place = next((path for path in paths if path.lower().endswith(DATABASE_ENDINGS)), "the database")
    # Behind the others: a run that was begun without it has their results at their places. Nobody can read a
    # file where none can be listed.
    looked = None if listing is None else await _look(work, At(thread, 0, 3), "text.samples", {})
    seen = _seen(looked, unread)
    bases = stored(schema, place, unread)
    return Survey(
        paths=paths,
        texts=texts_of(paths, seen.groups if seen else None),
        groups=seen.groups if seen else (),
        opaque=seen.opaque if seen else {},
        tables=tables,
        database=database,
        database_tables=bases,
        formed=_formed(seen, paths, {table.name.casefold() for table in (*tables, *bases)}),
        left_out=seen.left_out if seen else (),
        unread=tuple(dict.fromkeys([*unread, *(seen.unread if seen else ())])),
        unlisted="; ".join(filter(None, [unlisted, seen.more if seen else ""])),
    )


def _formed(seen: Look | None, paths: Sequence[str], taken: set[str]) -> tuple[FormedTable, ...]:
    """The tables that the texts make, by names that no other table has."""
    found = [*(seen.formed if seen else ()), *([files_table(paths)] if paths and seen else [])]
    named: list[FormedTable] = []
    for table in found:
        longer = f"{table.name}_{table.form}"
        names = (
            table.name,
            longer,
            *(f"{longer}_{number}" for number in range(2, len(taken) + len(found) + 3)),
        )
        name = next(name for name in names if name.casefold() not in taken)
        taken = {*taken, name.casefold()}
        named.append(table.model_copy(update={"name": name}))
    return tuple(named)


async def _look(work: Work, at: At, name: str, args: dict[str, object]) -> ToolResult | None:
    """A tool's answer, or None when the project has no such tool."""
    try:
        (tool,) = await work.box.tools((name,))
    except ProjectError:
        return None
    except ServerError as error:
        if name.startswith("files."):
            raise
        return ToolResult(text=str(error), is_error=True)
    return await act(work, at, tool, args, {})


def listed(found: ToolResult | None) -> tuple[tuple[str, ...], str]:
    """The paths that ``files.glob`` gave, and what they lack, in words; empty where they are whole."""
    if found is None:
        return (), ""
    if found.is_error:
        return (), found.text
    data, lacks = found.data, ""
    if isinstance(data, dict) and isinstance(left_out := data.get("left_out"), list):
        data, lacks = data.get("result"), "; ".join(map(str, left_out))
    try:
        return tuple(_PATHS.validate_python(data)), lacks
    except ValidationError:
        return (), f"files.glob gave no list of paths, but: {found.text[:200]}"


def _seen(found: ToolResult | None, unread: list[str]) -> Look | None:
    """What the look at the files shows; None where there was none."""
    if found is None:
        return None
    try:
        if found.is_error:
            raise ValueError(found.text)
        return Look.model_validate(found.data)
    except ValueError as error:
        unread.append(f"the first lines of files: {one_line(str(error), MOST_REASON)}")
        return None


def texts_of(paths: tuple[str, ...], groups: Sequence[FileGroup] | None) -> tuple[TextGroup, ...]:
    """The groups of texts that a pattern finds, with their paths; by their names where none was looked at."""
    if groups is None:
        return _by_name(paths)
    wanted = [group for group in groups if group.is_text and group.is_exact and not group.is_hidden]
    deep = {group.folder for group in wanted if group.is_deep}
    inside: dict[tuple[str, str, bool], list[str]] = defaultdict(list)
    for path in paths:
        folder, _, name = path.rpartition("/")
        ending = ending_of(name)
        inside[folder, ending, False].append(path)
        for top in _above(folder) if deep else ():
            if top in deep:
                inside[top, ending, True].append(path)
    known = set(paths)
    found: list[TextGroup] = []
    for group in wanted:
        one = (group.first,) if group.first in known else ()
        own = one if group.files == 1 else tuple(inside[group.folder, group.ending, group.is_deep])
        if own:
            found.append(TextGroup(pattern=group.pattern, paths=own, files=group.files))
    return tuple(found)


def _above(folder: str) -> Iterator[str]:
    """A folder and those around it, the workspace as an empty text."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def _by_name(paths: tuple[str, ...]) -> tuple[TextGroup, ...]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in paths:
        if is_text(path):
            groups[path.rpartition("/")[0], PurePosixPath(path).suffix].append(path)
    return tuple(_text_group(folder, suffix, found) for (folder, suffix), found in groups.items())


def _text_group(folder: str, suffix: str, paths: list[str]) -> TextGroup:
    if len(paths) == 1:
        return TextGroup(pattern=escaped(paths[0]), paths=tuple(paths))
    prefix = f"{escaped(folder)}/" if folder else ""
    return TextGroup(pattern=f"{prefix}*{escaped(suffix)}", paths=tuple(paths))


def _tables(found: ToolResult | None, unread: list[str]) -> tuple[TableGroup, ...]:
    """The tables in files; each file that could not be read goes to ``unread``."""
    if found is None:
        unread.append("the table files: no tool of this project reads them; it has none called tables.find")
        return ()
    if found.is_error or not isinstance(found.data, list):
        unread.append(f"the table files: {one_line(found.text, MOST_REASON)}")
        return ()
    rows = [row for row in found.data if isinstance(row, dict)]
    unread += [f"{row['pattern']}: {row['unread']}" for row in rows if row.get("unread")]
    return tuple(TableGroup.model_validate(row) for row in rows if not row.get("unread"))
