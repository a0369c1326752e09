"""Role cards as files: what is read of them, and what is said of a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.errors import ProjectError
from swarm.nouns.card import AgentCard, CardLimits
from swarm.project.cards import read_card

GOOD = """---
description: Reads files.
tools: [files.read, results]
tier: small
limits: {turns: 6}
---

You read files.

Then you answer.
"""


def _refusal(folder: Path, text: str) -> str:
    path = folder / "reader.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError) as refusal:
        read_card(path)
    said = str(refusal.value)
    assert said.startswith(f"{path}: ")
    return said.removeprefix(f"{path}: ")


def test_a_card_is_its_front_matter_its_text_and_the_name_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "reader.md"
    path.write_text(GOOD, encoding="utf-8")

    assert read_card(path) == AgentCard(
        name="reader",
        description="Reads files.",
        instructions="You read files.\n\nThen you answer.",
        tier="small",
        tools=("files.read", "results"),
        limits=CardLimits(turns=6),
    )


def test_a_card_saved_on_windows_is_the_same_card(tmp_path: Path) -> None:
    path = tmp_path / "reader.md"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())

    card = read_card(path)

    assert (card.description, card.tools) == ("Reads files.", ("files.read", "results"))


def test_a_file_without_front_matter_is_refused_with_the_remedy(tmp_path: Path) -> None:
    said = _refusal(tmp_path, "You read files.\n")

    assert said == "no front matter; start the file with a --- block that holds 'description'"


def test_a_misspelt_key_is_refused_with_the_likely_one(tmp_path: Path) -> None:
    assert _refusal(tmp_path, "---\ndescripton: x\n---\n") == (
        "'descripton' is no key of a card; did you mean 'description'?"
    )


def test_a_name_in_the_front_matter_is_refused_because_the_file_has_one(tmp_path: Path) -> None:
    said = _refusal(tmp_path, "---\nname: x\n---\n")

    assert said.startswith("'name' is no key of a card; known: description, ")


def test_a_missing_description_is_named(tmp_path: Path) -> None:
    assert _refusal(tmp_path, "---\ntier: any\n---\n") == "description is missing; add it"


def test_a_wrong_value_is_named_with_its_place(tmp_path: Path) -> None:
    said = _refusal(tmp_path, "---\ndescription: x\nlimits: {turns: many}\n---\n")

    assert said.startswith("limits.turns: ")
    assert said.endswith("got 'many'")


def test_one_tool_that_is_no_list_is_told_how_a_list_is_written(tmp_path: Path) -> None:
    said = _refusal(tmp_path, '---\ndescription: x\ntools: "*"\n---\n')

    assert said == "tools: give a list: ['one', 'two'], got '*'"


def test_bad_yaml_is_named_with_its_line_in_the_file(tmp_path: Path) -> None:
    said = _refusal(tmp_path, "---\ndescription: x\ntools: [a\n---\n")

    assert said == "line 4: the front matter is no valid YAML; check its quoting"


def test_a_card_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reader.md"
    path.write_bytes(b"---\n\xff\n---\n")

    with pytest.raises(ProjectError, match="not UTF-8 at byte 4; save the file as UTF-8"):
        read_card(path)
