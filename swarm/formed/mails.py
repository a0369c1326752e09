"""Mails as rows: one for each message, with its headers and what it says."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from swarm.formed.row import Row, Text

_FROM_LINE = "From "
"""Begins each message of a mailbox (RFC 4155)."""


def rows(texts: Sequence[Text]) -> list[Row]:
    """One row for each message: file, from, to, date, subject, text."""
    return [_row(path, one) for path, text in texts for one in _messages(path, text)]


def _messages(path: str, text: str) -> Iterator[str]:
    if not path.lower().endswith(".mbox") and not text.startswith(_FROM_LINE):
        yield text
        return
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(_FROM_LINE) and (not lines or not lines[-1].strip()):
            if lines:
                yield "\n".join(lines)
            lines = []
        else:
            lines.append(line)
    if lines:
        yield "\n".join(lines)


def _row(path: str, text: str) -> Row:
    message = email.message_from_string(text, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain", "html"))
    said = body.get_content() if body is not None else message.get_payload()
    return {
        "file": path,
        "sender": _header(message, "From"),
        "recipient": _header(message, "To"),
        "date": _moment(_header(message, "Date")),
        "subject": _header(message, "Subject"),
        "text": said.strip() if isinstance(said, str) else None,
    }


def _header(message: EmailMessage, name: str) -> str | None:
    value = message.get(name)
    return None if value is None else " ".join(str(value).split())


def _moment(date: str | None) -> str | None:
    try:
        return parsedate_to_datetime(date).isoformat(" ") if date else None
    except ValueError:
        return date
