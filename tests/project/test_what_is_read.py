"""Reading what a person's folder holds: regular files of bounded size and depth, and one line about all else."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from swarm.errors import ProjectError, listed, quoted, shortened
from swarm.project.cards import read_card
from swarm.project.folders import MOST_BYTES, check_folder, read_optional, read_text
from swarm.project.nesting import MOST_DEEP, check_json, check_toml
from swarm.project.project import open_project
from swarm.project.settings import read_settings

HERE = Path("x")


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(path))


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    ("make", "kind"), [(pipe, "named pipe"), (folder, "folder"), (bind, "socket"), (device, "device")]
)
def test_what_is_no_regular_file_is_refused_by_its_kind(
    make: Callable[[Path], object], kind: str, tmp_path: Path
) -> None:
    make(tmp_path / "swarm.toml")
    with pytest.raises(ProjectError, match=f"swarm.toml: it is a {kind} and not a regular file"):
        read_settings(tmp_path)


def test_a_link_to_nothing_is_no_absent_file(tmp_path: Path) -> None:
    assert read_optional(tmp_path / "swarm.toml") is None
    (tmp_path / "swarm.toml").symlink_to("gone.toml")
    with pytest.raises(ProjectError, match="No such file"):
        read_settings(tmp_path)


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[limits]\nturns = 7\n", encoding="utf-8")
    (tmp_path / "swarm.toml").symlink_to("mine.toml")
    assert read_settings(tmp_path).limits.turns == 7


def test_a_file_may_have_just_so_many_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_bytes(b"a" * MOST_BYTES)
    assert len(read_text(file)) == MOST_BYTES
    file.write_bytes(b"a" * (MOST_BYTES + 1))
    with pytest.raises(ProjectError, match="larger than 1,000 kB"):
        read_text(file)


def test_brackets_in_texts_and_comments_are_no_nesting() -> None:
    deep = "[" * (MOST_DEEP + 1)
    assert check_json(HERE, f'["{deep}", "\\"{deep}"]')
    for text in (f'a = "{deep}"', f"a = '{deep}'", f'a = """\n{deep}"""', f"a = '''{deep}'''", f"# {deep}"):
        assert check_toml(HERE, text) == text


@pytest.mark.parametrize("depth", [MOST_DEEP, MOST_DEEP + 1])
def test_nesting_is_refused_just_past_the_bound(depth: int) -> None:
    texts = ["[" * depth, f"x = {'[' * depth}", '{"a": ' * depth]
    for check, text in zip((check_json, check_toml, check_json), texts, strict=True):
        if depth == MOST_DEEP:
            check(HERE, text)
        else:
            with pytest.raises(ProjectError, match="nested more than 64 deep"):
                check(HERE, text)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("description: a\ndescription: b", "line 3: the key 'description' stands twice"),
        ("description: &x a\nmodel: *x", r"line 3: write the value itself, not an alias"),
        ("description: !!int abc", "line 2: write the value without a tag"),
        ("description: !!timestamp 2024-01-01", "without a tag"),
        ("description: 2024-13-01", "a value that is none: month must be in 1..12; quote it"),
        ("description: x\nlimits: {turns: 1, turns: 2}", "the key 'turns' stands twice"),
    ],
)
def test_a_card_holds_what_can_be_seen_in_it(written: str, why: str, tmp_path: Path) -> None:
    card = tmp_path / "clerk.md"
    card.write_text(f"---\n{written}\n---\n", encoding="utf-8")
    with pytest.raises(ProjectError, match=why):
        read_card(card)


def test_a_quoted_date_is_a_description(tmp_path: Path) -> None:
    card = tmp_path / "clerk.md"
    card.write_text('---\ndescription: "2024-13-01"\n---\n', encoding="utf-8")
    assert read_card(card).description == "2024-13-01"


@pytest.mark.parametrize("value", ["inf", "nan", "true", "1" + "0" * 30, "-1", "0x" + "f" * 6_000])
def test_a_limit_that_is_no_number_a_run_can_keep_is_refused(value: str, tmp_path: Path) -> None:
    for limit in ("tokens", "seconds"):
        (tmp_path / "swarm.toml").write_text(f"[limits]\n{limit} = {value}\n", encoding="utf-8")
        with pytest.raises(ProjectError, match=f"limits.{limit}: ") as caught:
            read_settings(tmp_path)
        assert len(str(caught.value)) < 400


def test_a_folder_whose_name_is_not_utf_8_is_refused_before_a_run_begins(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    with pytest.raises(ProjectError, match="the name of the project is not UTF-8; rename the folder"):
        open_project(folder)
    for name in ("a" * 5_000, "a\0b"):
        with pytest.raises(ProjectError, match="name the workspace"):
            check_folder(tmp_path / name, "the workspace")


def test_a_value_is_repeated_in_80_characters_however_large() -> None:
    shared: list[object] = ["x"]
    for _ in range(60):
        shared = [shared, shared]
    deep: dict[str, object] = {"a": {"b": {"c": {"d": 1}}}}
    values: list[object] = ["a" * 5_000, ["a" * 100] * 3_000, deep, 10**5_000, shared]
    for value in values:
        assert len(quoted(value)) <= 80
    assert (quoted("ab"), shortened("ab")) == ("'ab'", "ab")
    assert listed(str(number) for number in range(8)) == "0, 1, 2, 3, 4 and 3 more"
