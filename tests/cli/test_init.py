"""A new project: it is sound as it is made, and nothing of the user's is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.cli.init import copy_template
from swarm.errors import ProjectError
from swarm.project.project import open_project


def test_a_new_project_opens_as_it_is(tmp_path: Path) -> None:
    copy_template(tmp_path / "shop")

    project = open_project(tmp_path / "shop")

    assert "reviewer" in project.cards
    assert "clock" in project.servers
    assert [function.name for function in project.tool_files["words"].functions] == ["count_words"]


def test_the_files_that_other_programs_read_have_their_names(tmp_path: Path) -> None:
    made, _ = copy_template(tmp_path)

    names = {path.relative_to(tmp_path).as_posix() for path in made}
    assert {".mcp.json", ".gitignore", "swarm.toml", "agents/reviewer.md"} <= names


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "swarm.toml").write_text("# mine\n", encoding="utf-8")

    made, kept = copy_template(tmp_path)

    assert kept == [tmp_path / "swarm.toml"]
    assert tmp_path / "swarm.toml" not in made
    assert (tmp_path / "swarm.toml").read_text(encoding="utf-8") == "# mine\n"


def test_a_folder_that_cannot_be_made_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(ProjectError, match="cannot be written"):
        copy_template(tmp_path / "file" / "shop")
