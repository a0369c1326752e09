"""Mails as rows: one for each message, with its headers and what it says."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator, Sequence
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from swarm.formed.page import words_of
from swarm.formed.row import Row, Text, lines_of

MOST_CHARACTERS = 20_000
"""Of a header."""
_POSTMARK = re.compile(r"From \S.{0,200}\d\d:\d\d.{0,40}$")
"""Begins each message of a mailbox (RFC 4155)."""
_QUOTED = re.compile(r">+From ")
_UNCODED = frozenset({"", "7bit", "8bit", "binary"})


def rows(texts: Sequence[Text]) -> list[Row]:
    """One row for each message: file, from, to, date, subject, text."""
    return [_row(path, one) for path, text in texts for one in _messages(path, text)]


def _messages(path: str, text: str) -> Iterator[str]:
    lines = lines_of(text)
    if not path.lower().endswith(".mbox") and not (lines and _POSTMARK.match(lines[0])):
        yield text
        return
    message: list[str] = []
    is_begun = False
    for line in lines:
        if _POSTMARK.match(line) and (not message or not message[-1].strip()):
            if message:
                yield "\n".join(message)
            message, is_begun = [], True
        elif is_begun or line.strip():
            # A line of a message that begins with From is written with a sign before it.
            message.append(line[1:] if _QUOTED.match(line) else line)
    if message:
        yield "\n".join(message)


def _row(path: str, text: str) -> Row:
    message = email.message_from_string(text, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    raw = {name.lower(): str(value) for name, value in reversed([*message.raw_items()])}
    return {
        "file": path,
        "sender": _header(raw.get("from")),
        "recipient": _header(raw.get("to")),
        "date": _moment(_header(raw.get("date"))),
        "subject": _header(raw.get("subject")),
        "text": _said(message),
    }


def _header(raw: str | None) -> str | None:
    """A header with its encoded words (RFC 2047) and its folds undone."""
    if raw is None:
        return None
    text = re.sub(r"\s+", " ", raw[:MOST_CHARACTERS]).strip()
    if "=?" not in text:
        return text
    try:
        return " ".join(str(make_header(decode_header(text))).split())
    except (HeaderParseError, LookupError, ValueError):  # An encoding that nobody knows, or broken bytes.
        return text


def _moment(date: str | None) -> str | None:
    try:
        return parsedate_to_datetime(date).isoformat(" ") if date else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return date


def _said(message: EmailMessage) -> str | None:
    """What a message says: its plain text, else the text of its HTML; None where it has neither."""
    try:
        body = message.get_body(("plain", "html"))
    except (AttributeError, KeyError, TypeError, ValueError):  # Parts that are none.
        body = None
    if body is None:
        payload = message.get_payload()
        is_text = isinstance(payload, str) and message.get_content_maintype() in {"text", "multipart"}
        return str(payload).strip() or None if is_text else None
    assert isinstance(body, EmailMessage)
    text = _content(body)
    return (words_of(text) if body.get_content_subtype() == "html" else text).strip() or None


def _content(body: EmailMessage) -> str:
    """The text of a part. What is not encoded was read with its file already."""
    raw = body.get_payload()
    coding = str(dict(body.raw_items()).get("Content-Transfer-Encoding", "")).strip().lower()
    if isinstance(raw, str) and coding in _UNCODED:
        return raw
    try:
        return str(body.get_content())
    except (LookupError, ValueError, AttributeError):  # A charset that nobody knows.
        return str(raw)
