"""The folder that pulled models lie in, and whether what lies there is what it should be."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from swarm.errors import ProjectError
from swarm.models.embedded.catalog import PinnedModel

Progress = Callable[[int, int], None]
"""Hears how many bytes of how many are done."""

_CHUNK_BYTES = 4 * 1024 * 1024


class _Seal(BaseModel):
    """What is remembered of a file whose hash was right, so that not each start hashes a gigabyte."""

    model_config = ConfigDict(extra="forbid")

    sha256: str
    size_bytes: int
    mtime_ns: int


def folder() -> Path:
    """Where models are kept: ``$SWARM_MODELS``, else ``swarm/models`` in the user's data folder.

    The data folder is that of the XDG Base Directory Specification 0.8.
    """
    if said := os.environ.get("SWARM_MODELS"):
        return Path(said).expanduser()
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "swarm" / "models"


def path_of(model: PinnedModel) -> Path:
    """Where the model's file is, or will be once it is pulled."""
    return folder() / model.file


def is_there(model: PinnedModel) -> bool:
    """Whether the model was pulled and its file is still the one whose hash was right."""
    path = path_of(model)
    try:
        seal = _Seal.model_validate_json(_seal_of(path).read_bytes())
    except (OSError, ValidationError):
        return False
    return path.is_file() and seal == _seal(path, model.sha256)


def verify(model: PinnedModel, tell: Progress | None = None) -> Path:
    """The model's file, after hashing it whole.

    Raises:
        ProjectError: it is not there, or its hash is wrong.
    """
    path = path_of(model)
    if not path.is_file():
        raise ProjectError(f"{model.name} is not pulled; pull it with: swarm models pull {model.name}")
    if (found := digest(path, tell)) != model.sha256:
        raise ProjectError(
            f"{path}: SHA-256 is {found}, but {model.name} has {model.sha256}: the file is damaged or another; "
            f"delete it and run swarm models pull {model.name}"
        )
    seal(model)
    return path


def seal(model: PinnedModel) -> None:
    """Remembers that the model's file as it lies there has the right hash."""
    path = path_of(model)
    _seal_of(path).write_text(_seal(path, model.sha256).model_dump_json(), encoding="utf-8")


def _seal(path: Path, sha256: str) -> _Seal:
    stat = path.stat()
    return _Seal(sha256=sha256, size_bytes=stat.st_size, mtime_ns=stat.st_mtime_ns)


def _seal_of(path: Path) -> Path:
    return path.with_name(path.name + ".verified")


def digest(path: Path, tell: Progress | None = None) -> str:
    """SHA-256 of a file, as 64 hex digits."""
    found, total, done = hashlib.sha256(), path.stat().st_size, 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
            done += len(chunk)
            if tell:
                tell(done, total)
    return found.hexdigest()
