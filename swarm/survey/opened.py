"""The beginning of one file, read as a text: bounded, without following links, and never without a reason."""

from __future__ import annotations

import email
import os
import stat
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

from swarm.errors import ToolError
from swarm.formed.page import words_of
from swarm.safety.text import clean
from swarm.survey.concealed import Concealer
from swarm.survey.documents import text_of
from swarm.survey.kinds import (
    BINARY,
    DOCUMENTS,
    KEY,
    MAIL,
    MAILBOX,
    PAGE,
    PLAIN,
    SECRETS,
    SOURCES,
    TEXT_KINDS,
    kind_by_bytes,
)
from swarm.tabular.encoding import encoding_of_head

HEAD_BYTES = 1 << 16
"""Of a file, how much is read."""
MOST_LINES, LINE_CHARACTERS = 12, 200
"""Of the beginning that is kept."""
SHOWN_CHARACTERS = 4_000
"""Among which these lines are looked for."""
EMPTY = ("(empty)",)
"""The lines of a file without any."""
_SHOWN_HEADERS = ("From", "To", "Cc", "Date", "Subject")


@dataclass(frozen=True)
class Beginning:
    """What the first bytes of a file show."""

    kind: str
    lines: tuple[str, ...] = ()
    is_whole: bool = True
    """Whether the lines are all there is."""
    hidden: int = 0
    """Values that were hidden."""
    unread: str = ""
    """Why there are no lines."""


def beginning_of(path: Path, kind: str) -> Beginning:
    """The first lines of a file of that kind; where its kind is not known, as its bytes tell."""
    if kind and kind not in TEXT_KINDS and kind not in DOCUMENTS:
        return Beginning(kind)
    try:
        size, head = _head(path)
    except OSError as error:
        return Beginning(kind or PLAIN, unread=f"it can't be read ({error.strerror or error})")
    found = kind or kind_by_bytes(head)
    if not found and b"PRIVATE KEY-----" in head[:200]:
        found = KEY
    if found and found not in TEXT_KINDS:
        return _document(path, found, size) if found in DOCUMENTS else Beginning(found)
    try:
        text = _decoded(head, is_whole=size <= len(head))
        shown = _mail(head) if found in {MAIL, MAILBOX} and text.strip() else text
    except ToolError as error:
        return Beginning(found, unread=str(error)) if found else Beginning(BINARY)
    return _shown(shown, found or PLAIN, is_whole=size <= len(head))


def _head(path: Path) -> tuple[int, bytes]:
    # O_NONBLOCK: opening a FIFO must not wait for its other end.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "it is no regular file")
        return status.st_size, file.read(HEAD_BYTES)


def _decoded(head: bytes, *, is_whole: bool) -> str:
    """The text of the first bytes; those of an encoding that can't be told stand as ``\\xe9``.

    Raises:
        ToolError: they are of no text.
    """
    try:
        name = encoding_of_head(head, is_whole=is_whole)
    except ToolError:
        if b"\0" in head or _is_binary(head):
            raise
        return head.decode("utf-8", "backslashreplace")
    if name == "utf-8" and _is_binary(head):
        raise ToolError("it holds control characters, so it is no text")
    return head.decode(name, "ignore" if not is_whole else "backslashreplace")


def _is_binary(head: bytes) -> bool:
    """Whether many of the bytes are control characters, which a text has none of."""
    controls = bytes(set(range(32)) - {*b"\t\n\f\r\x1b"})
    return len(head.translate(None, controls)) < len(head) * 0.98


def _shown(text: str, kind: str, *, is_whole: bool) -> Beginning:
    concealer = Concealer()
    text = clean(text.replace("\r\n", "\n").replace("\r", "\n"))
    if kind == SECRETS:
        shown = concealer.listed(text)
    else:
        said = words_of(text) if kind == PAGE else text[:SHOWN_CHARACTERS]
        shown = concealer.text(said, is_source=kind in SOURCES)
    lines = [line.rstrip() for line in shown.splitlines() if line.strip()]
    kept = tuple(_cut(line) for line in lines[:MOST_LINES])
    if not text.strip():
        return Beginning(kind, EMPTY)
    return Beginning(kind, kept, is_whole and len(lines) <= MOST_LINES, concealer.hidden)


def _cut(line: str) -> str:
    return line if len(line) <= LINE_CHARACTERS else f"{line[:LINE_CHARACTERS]}…"


def _mail(head: bytes) -> str:
    """The headers that a reader looks at, and the text of the mail; of a mailbox, of its first one.

    Raises:
        ToolError: it is no mail.
    """
    begin, _, rest = head.partition(b"\nFrom ")
    message = email.message_from_bytes(begin if head.startswith(b"From ") and rest else head)
    heads = [f"{name}: {_header(str(message[name]))}" for name in _SHOWN_HEADERS if message[name]]
    if not heads:
        raise ToolError("it has none of the headers of a mail")
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    body = next(
        (part for part in parts if part.get_content_subtype() == "plain"), parts[0] if parts else None
    )
    said = "" if body is None else _payload(body)
    is_page = body is not None and body.get_content_subtype() == "html"
    return "\n".join([*heads, words_of(said) if is_page else said])


def _header(raw: str) -> str:
    try:
        return " ".join(str(make_header(decode_header(raw))).split())
    except (HeaderParseError, LookupError, ValueError):  # As it stands there.
        return " ".join(raw.split())


def _payload(part: Message) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        return data.decode(part.get_content_charset("utf-8"), "backslashreplace")
    except LookupError:
        return data.decode("utf-8", "backslashreplace")


def _document(path: Path, kind: str, size: int) -> Beginning:
    try:
        text = text_of(path, kind, size)
    except ToolError as error:
        return Beginning(kind, unread=str(error))
    return _shown(text, kind, is_whole=False)
