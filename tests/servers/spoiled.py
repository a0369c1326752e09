"""Files and folders that cannot be read, each made for real: what a workspace may hold."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

Make = Callable[[Path], object]
"""Makes a fault at a path; beside it lies nothing else that has its ending."""

NOBODY = 65534


def socket_at(path: Path) -> None:
    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as unix:
        unix.bind(path.name)  # A socket's path may have at most 107 bytes.


def circle(path: Path) -> None:
    other = path.with_suffix(".other")
    path.symlink_to(other.name)
    other.symlink_to(path.name)


def behind_a_link(path: Path) -> None:
    real = path.parent.parent / "real"
    real.mkdir()
    path.symlink_to(real)


def linked(path: Path) -> None:
    real = path.with_suffix(".real")
    real.write_text("text\n", encoding="utf-8")
    path.symlink_to(real.name)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(6_000_000_000)


def bytes_of(data: bytes) -> Make:
    return lambda path: path.write_bytes(data)


PLACES: dict[str, Make] = {
    "a dangling link": lambda path: path.symlink_to("nowhere.md"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "links in a circle": circle,
    "a link to a file": linked,
    "a link out": lambda path: path.symlink_to("/etc/hostname"),
    "a link to a folder": behind_a_link,
    "a link to the folder it is in": lambda path: path.symlink_to("."),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a FIFO": os.mkfifo,
    "a socket": socket_at,
    "a folder": lambda path: path.mkdir(),
}
"""What is there and is no file; the path ends in ``.md``."""

NAMES = [
    "a\nb.md",
    "a\rb.md",
    "a\x1b[2Jb.md",
    "a\tb.md",
    "a\x7fb.md",
    "a\u200bb.md",
    "a\u202eb.md",
    "a\u2028b.md",
    "a\ufeffb.md",
]
"""What nobody can see or write in an answer."""

RAW_NAMES = [b"Gr\xfc\xdfe.md", b"\x82\xa0.md", b"a\xffb.md"]
"""Of old archives: Latin-1, Shift-JIS, and no encoding at all."""

CONTENTS: dict[str, Make] = {
    "a picture": bytes_of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"),
    "a broken zip archive": bytes_of(b"PK\x03\x04\x14\0\0\0\x08\0"),
    "a broken gzip archive": bytes_of(b"\x1f\x8b\x08\0\0\0\0\0"),
    "a broken 7z archive": bytes_of(b"7z\xbc\xaf\x27\x1c\0\x04"),
    "a database": bytes_of(b"SQLite format 3\0\x10\0\x01\x01\0@  \0\0"),
    "a program": bytes_of(b"\x7fELF\x02\x01\x01\0\0\0\0\0"),
    "noise without a NUL": bytes_of(bytes(1 + (7 * n * n + 3 * n) % 255 for n in range(600))),
    "a text with one NUL": bytes_of(b"one\ntwo\0three\n"),
    "one NUL": bytes_of(b"\0"),
    "UTF-16 that breaks off": bytes_of("text".encode("utf-16")[:-1]),
    "UTF-16 of half letters": bytes_of(b"\xff\xfea\0\x00\xd8b\0"),
    "UTF-32 that breaks off": bytes_of(b"\xff\xfe\0\0a\0\0"),
    "UTF-32 beyond all letters": bytes_of(b"\xff\xfe\0\0\xff\xff\xff\x7f"),
    "two signs of GB18030": bytes_of("会议".encode("gb18030")),
    "one word of Windows-1251": bytes_of("Привет".encode("cp1251")),
    "one word of KOI8-R": bytes_of("Привет".encode("koi8_r")),
    "two signs of Shift-JIS": bytes_of("会議".encode("cp932")),
    "six gigabytes of nothing": sparse,
}
"""Files whose text cannot be told."""


@contextlib.contextmanager
def as_nobody() -> Generator[Path]:
    """A folder of one's own, without the rights of root, whom no permission stops."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        is_root = os.geteuid() == 0
        if is_root:
            os.chown(folder, NOBODY, -1)
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            for path in [folder, *folder.rglob("*")]:
                if path.is_dir():
                    path.chmod(0o700)
            if is_root:
                os.seteuid(0)
