"""Files that a brief names and that could not be read: no answer may be made of what lies beside them."""

from __future__ import annotations

import re

from swarm.survey import DATABASE_ENDINGS, TABLE_ENDINGS, TEXT_ENDINGS, Survey

TABLE_FILES, DATABASE = "the table files", "the database"
"""What a line of ``Survey.unread`` is about where a tool failed for all files of a kind."""
_PATH = re.compile(r"""[^\s"'`()\[\],;]+""")


def unread_sources(brief: str, survey: Survey) -> dict[str, str]:
    """Table files and databases that the brief names and that were not read, each with the reason."""
    named = [path for path in survey.paths if is_named(path, brief)]
    of_all = {
        TABLE_FILES: [path for path in named if path.lower().endswith(TABLE_ENDINGS)],
        DATABASE: [path for path in named if path.lower().endswith(DATABASE_ENDINGS)],
    }
    found = dict.fromkeys(_unlisted(brief, survey, (*TABLE_ENDINGS, *DATABASE_ENDINGS)), survey.unlisted)
    for line in survey.unread:
        place, _, why = line.partition(": ")
        found |= dict.fromkeys(of_all.get(place, [place] if is_named(place, brief) else []), why)
    return found


def unlisted_texts(brief: str, survey: Survey) -> list[str]:
    """Text files that the brief names and that stand only among those that could not be listed."""
    return _unlisted(brief, survey, TEXT_ENDINGS)


def _unlisted(brief: str, survey: Survey, endings: tuple[str, ...]) -> list[str]:
    words = [word.rstrip(".:!?") for word in _PATH.findall(brief)]
    return [
        word
        for word in dict.fromkeys(words)
        if word.lower().endswith(endings) and word not in survey.paths and is_named(word, survey.unlisted)
    ]


def is_named(path: str, text: str) -> bool:
    """Whether the path stands in the text, and not as a part of a longer one."""
    end = "" if path.endswith("/") else r"(?![\w/-]|\.\w)"
    return re.search(rf"(?<![\w/.-]){re.escape(path)}{end}", text) is not None
