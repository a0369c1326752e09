"""The small file beside a run's file that tells the state which was written last.

It is what an older state is known by: a log that was cut off, a file restored from a backup. It is
written after each commit and never waits for the disk, so after a power cut it may lag behind the
file, but never be ahead of it; torn or missing, it says nothing.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from swarm.errors import StoreError
from swarm.store.file.owner import small_text
from swarm.store.file.sums import Totals


class Witness:
    """Tells of one run's file. Open it with ``Witness.of``."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    @contextmanager
    def of(cls, path: Path) -> Generator[Witness]:
        """The witness of the run's file ``path``.

        Raises:
            StoreError: the folder does not take it.
        """
        file = witness_path(path)
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{file}: {error.strerror}; make the folder of the run writable") from error
        try:
            yield cls(descriptor)
        finally:
            os.close(descriptor)

    def tell(self, state: Totals) -> None:
        """Writes down that the file has come to this state."""
        text = f"{state.number:016d} {state.digest}"
        with suppress(OSError):  # on a full disk it lags, which it may
            os.pwrite(self._descriptor, f"{text} {zlib.crc32(text.encode()):08x}\n".encode(), 0)


def last_state(path: Path) -> Totals | None:
    """The state that the run's file ``path`` came to, as far as the witness knows, or None."""
    try:
        text, _, sum = small_text(witness_path(path)).removesuffix("\n").rpartition(" ")
        number, _, digest = text.partition(" ")
        return Totals(int(number), digest) if int(sum, 16) == zlib.crc32(text.encode()) else None
    except (OSError, ValueError):
        return None


def witness_path(path: Path) -> Path:
    """Where the witness of the run's file ``path`` is."""
    return path.with_suffix(".seal")
