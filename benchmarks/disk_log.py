"""What a process did to its files, as a preloaded library logged it, and what a power cut leaves of that."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.proof import ROOT

SOURCE = ROOT / "benchmarks" / "scripts" / "disk_log.c"
SECTOR = 512
"""Bytes that a disk writes wholly or not at all."""

_HEAD = struct.Struct("=cHqI")


@dataclass(frozen=True, slots=True)
class Deed:
    """One change of a file: ``W`` write, ``T`` truncate, ``S`` sync, ``C`` create, ``U`` unlink."""

    what: str
    path: str
    offset: int
    """Of a write; the new length of a truncation."""
    data: bytes


def compiler() -> str | None:
    """The C compiler of this machine, if there is one."""
    return shutil.which("cc") or shutil.which("gcc")


def build(folder: Path) -> Path:
    """The library, compiled.

    Raises:
        FileNotFoundError: there is no C compiler.
        CalledProcessError: it refuses the source.
    """
    library = folder / "disk_log.so"
    command = [
        compiler() or "cc",
        "-shared",
        "-fPIC",
        "-O1",
        "-o",
        str(library),
        str(SOURCE),
        "-ldl",
        "-lpthread",
    ]
    subprocess.run(command, check=True)
    return library


def logged(command: list[str], root: Path, library: Path, log: Path) -> list[Deed]:
    """What a command did to the files below ``root``, in order.

    Raises:
        CalledProcessError: it failed.
    """
    log.unlink(missing_ok=True)
    places = {"LD_PRELOAD": str(library), "DISK_LOG": str(log), "DISK_LOG_ROOT": str(root)}
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **places}, timeout=600)
    return list(_read(log.read_bytes()))


def _read(log: bytes) -> Iterator[Deed]:
    at = 0
    while at < len(log):
        what, name, offset, length = _HEAD.unpack_from(log, at)
        at += _HEAD.size
        path, data = log[at : at + name].decode(), log[at + name : at + name + length]
        at += name + length
        yield Deed(what.decode(), path, offset, data)


@dataclass
class _File:
    """A file's content on the disk, and what was done to it since it was last synced."""

    content: bytearray = field(default_factory=bytearray)
    waiting: list[Deed] = field(default_factory=list[Deed])

    def sync(self) -> None:
        for deed in self.waiting:
            _apply(self.content, deed)
        self.waiting.clear()

    def cut(self, chance: random.Random) -> bytes:
        """What a cut leaves: of what was not synced all, nothing, or any parts."""
        content = bytearray(self.content)
        share = chance.choice((0.0, 0.5, 1.0))
        for deed in self.waiting:
            if deed.what != "W":
                if chance.random() < share:
                    _apply(content, deed)
                continue
            for start, end in _parts(deed, chance, share):
                _apply(content, Deed("W", deed.path, deed.offset + start, deed.data[start:end]))
        return bytes(content)


class Disk:
    """The files of a folder with all that is known of what of them is on the disk."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._names: dict[str, _File] = {}
        """As the process sees them."""
        self._durable: dict[str, _File] = {}
        """As they are on the disk."""
        self._waiting: list[tuple[str, _File | None]] = []
        """Changes of names that are not synced yet, in order; None takes a name away."""

    def do(self, deed: Deed) -> None:
        """One more deed of the process."""
        match deed.what:
            case "C":
                self._names[deed.path] = _File()
                self._waiting.append((deed.path, self._names[deed.path]))
            case "U":
                self._names.pop(deed.path, None)
                self._waiting.append((deed.path, None))
            case "S":
                self._sync(deed.path)
            case _:
                self._names[deed.path].waiting.append(deed)

    def cut(self, chance: random.Random, into: Path) -> None:
        """Writes what the disk holds after a cut at this moment.

        Changes of names come to the disk in their order, as a file system with a journal keeps it.
        """
        names = dict(self._durable)
        _rename(names, self._waiting[: chance.randint(0, len(self._waiting))])
        for path, file in names.items():
            target = into / Path(path).relative_to(self._root)
            target.write_bytes(file.cut(chance))

    def _sync(self, path: str) -> None:
        """A synced file has its name too; a synced folder has all of them."""
        done = len(self._waiting)
        if path in self._names:
            file = self._names[path]
            file.sync()
            made = [place for place, (_, other) in enumerate(self._waiting, 1) if other is file]
            done = made[-1] if made else 0
        _rename(self._durable, self._waiting[:done])
        del self._waiting[:done]


def _rename(names: dict[str, _File], changes: Sequence[tuple[str, _File | None]]) -> None:
    for path, file in changes:
        if file is None:
            names.pop(path, None)
        else:
            names[path] = file


def _apply(content: bytearray, deed: Deed) -> None:
    end = deed.offset + len(deed.data)
    if deed.what == "T":
        end = deed.offset
        del content[end:]
    content.extend(bytes(max(0, end - len(content))))
    content[deed.offset : end] = deed.data


def _parts(deed: Deed, chance: random.Random, share: float) -> Iterator[tuple[int, int]]:
    """The parts of a write that reach the disk: mostly all or nothing, now and then some sectors."""
    whole = (0, len(deed.data))
    if chance.random() >= 0.2 or share in (0.0, 1.0):
        if chance.random() < share:
            yield whole
        return
    edge = -deed.offset % SECTOR
    for start in (0, *range(edge or SECTOR, len(deed.data), SECTOR)):
        if chance.random() < share:
            yield start, min(len(deed.data), start + (edge if start == 0 and edge else SECTOR))
