"""Tables that are made of texts: of which form, by which name, and their rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from swarm.formed import entries, labels, mails
from swarm.formed import plain_lines as listing
from swarm.formed import setting_files as settings
from swarm.formed.row import Row, Text

FILES, LINES, ENTRIES, LABELS = "files", "lines", "entries", "labels"
SETTINGS, COMPARED, MAILS, COMMENTS, FUNCTIONS = "settings", "compared", "mails", "comments", "functions"


class FormedTable(BaseModel):
    """A table that is made of the texts that some patterns match."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    form: str
    patterns: tuple[str, ...]
    columns: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    """``NUMBER`` or ``TEXT`` by column."""
    first: tuple[tuple[JsonValue, ...], ...] = ()
    """The first rows."""
    categories: dict[str, tuple[str, ...]] = {}
    """The values of columns that hold few."""
    rows: int | None = None
    """How many there are; None where not all texts were read for it."""


def rows_of(form: str, texts: Sequence[Text]) -> list[Row]:
    """The rows that texts of a form hold.

    Raises:
        KeyError: there is no such form.
    """
    return _ROWS[form](texts)


def _comments(texts: Sequence[Text]) -> list[Row]:
    from swarm.formed import source_code as source

    return source.comments(texts)


def _functions(texts: Sequence[Text]) -> list[Row]:
    from swarm.formed import source_code as source

    return source.functions(texts)


_ROWS: Mapping[str, Callable[[Sequence[Text]], list[Row]]] = {
    LINES: listing.lines,
    ENTRIES: entries.rows,
    LABELS: labels.rows,
    SETTINGS: settings.rows,
    COMPARED: settings.side_by_side,
    MAILS: mails.rows,
    COMMENTS: _comments,
    FUNCTIONS: _functions,
}
