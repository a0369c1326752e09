"""A project as a whole: what is found, what shadows what, and which settings mean something."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from swarm.errors import ProjectError
from swarm.project.folders import built_in_folder
from swarm.project.project import open_project

CARD = "---\ndescription: {}\ntools: {}\n---\nDo it.\n"
TOOL = 'from swarm import tool\n\n@tool(effect="pure")\ndef one() -> str:\n    """One."""\n    return "1"\n'


def _put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _refusal(root: Path) -> str:
    with pytest.raises(ProjectError) as refusal:
        open_project(root)
    return str(refusal.value)


def test_an_empty_folder_has_everything_that_ships(tmp_path: Path) -> None:
    project = open_project(tmp_path)

    assert set(project.servers) == {"database", "files"}
    assert set(project.cards) == {path.stem for path in built_in_folder("agents").glob("*.md")}
    assert set(project.tool_files) == {path.stem for path in built_in_folder("tools").glob("*.py")}
    assert (project.root, project.workspace) == (tmp_path, tmp_path)
    assert project.runs_folder == tmp_path / ".swarm" / "runs"
    assert list(tmp_path.iterdir()) == []


def test_the_built_in_servers_are_confined_to_the_workspace(tmp_path: Path) -> None:
    workspace = tmp_path / "work"
    workspace.mkdir()

    files = open_project(tmp_path, workspace=workspace).servers["files"]

    path = built_in_folder("mcp_servers") / "files.py"
    assert (files.command, files.cwd) == (sys.executable, workspace)
    assert files.args == ("-P", str(path), "--root", str(workspace))
    assert "files" in files.description


def test_a_file_of_the_project_shadows_the_built_in_one(tmp_path: Path) -> None:
    card = _put(tmp_path / "agents" / "writer.md", CARD.format("Mine.", "[]"))
    server = _put(tmp_path / "mcp_servers" / "files.py", '"""Mine."""\n')

    project = open_project(tmp_path)

    assert (project.cards["writer"].description, project.card_files["writer"]) == ("Mine.", card)
    assert project.servers["files"].origin == server
    assert project.servers["files"].args == ("-P", str(server))


def test_a_built_in_server_can_be_started_twice_and_limited(tmp_path: Path) -> None:
    _put(
        tmp_path / "swarm.toml",
        """
        [workspace]
        path = "."
        [servers.files]
        write = false
        [servers.database]
        write = true
        timeout_seconds = 5
        effects = { query = "irreversible" }
        [servers.sales]
        server = "database"
        args = ["--url", "sqlite:///sales.db"]
        env = { MODE = "x" }
        """,
    )

    servers = open_project(tmp_path).servers

    root = str(tmp_path)
    assert servers["files"].args[-3:] == ("--root", root, "--read-only")
    assert servers["database"].args[-3:] == ("--root", root, "--write")
    assert (servers["database"].call_seconds, servers["database"].effects) == (5, {"query": "irreversible"})
    assert servers["sales"].name == "sales"
    assert servers["sales"].args[-4:] == ("--root", root, "--url", "sqlite:///sales.db")
    assert (servers["sales"].env, servers["sales"].call_seconds) == ({"MODE": "x"}, None)


def test_a_server_that_is_off_is_off_for_every_card(tmp_path: Path) -> None:
    _put(tmp_path / "swarm.toml", "[servers.files]\nenabled = false\n")
    _put(tmp_path / "agents" / "mine.md", CARD.format("Mine.", "[files.read, database]"))

    project = open_project(tmp_path)

    assert "files" not in project.servers
    assert project.cards["mine"].tools == ("database",)


def test_an_entry_of_mcp_json_shadows_a_built_in_server_but_no_own_file(tmp_path: Path) -> None:
    entry = _put(tmp_path / ".mcp.json", '{"mcpServers": {"files": {"command": "x"}}}')

    assert open_project(tmp_path).servers["files"].origin == entry

    own = _put(tmp_path / "mcp_servers" / "files.py", "")
    assert _refusal(tmp_path) == f"{own} and {entry} both define a server 'files'; rename one"


def test_a_server_and_a_tool_file_of_one_name_are_refused_with_both(tmp_path: Path) -> None:
    server = _put(tmp_path / "mcp_servers" / "words.py", "")
    tool = _put(tmp_path / "tools" / "words.py", TOOL)

    assert _refusal(tmp_path) == f"{tool} and {server} are both called 'words'; rename one"


def test_a_server_by_the_name_of_tools_that_ship_is_to_be_renamed(tmp_path: Path) -> None:
    entry = _put(tmp_path / ".mcp.json", '{"mcpServers": {"dates": {"command": "x"}}}')

    assert _refusal(tmp_path) == (
        f"{entry}: 'dates' is the name of tools that ship; give the server another name"
    )


def test_the_name_of_a_programs_functions_is_kept_for_them(tmp_path: Path) -> None:
    tool = _put(tmp_path / "tools" / "python.py", TOOL)

    assert _refusal(tmp_path) == f"{tool}: 'python' is kept for functions of a program; rename it"


def test_a_card_that_names_an_unknown_server_or_tool_is_refused(tmp_path: Path) -> None:
    _put(tmp_path / "tools" / "words.py", TOOL)
    card = _put(tmp_path / "agents" / "mine.md", CARD.format("Mine.", "[file.read]"))
    assert _refusal(tmp_path) == f"{card}: tools: 'file.read': did you mean 'files'?"

    _put(card, CARD.format("Mine.", "[words.on]"))
    assert _refusal(tmp_path) == f"{card}: tools: 'words.on' is no tool of words; did you mean 'one'?"

    _put(card, CARD.format("Mine.", "[words.one, python.anything, files.anything]"))
    assert open_project(tmp_path).cards["mine"].tools == ("words.one", "python.anything", "files.anything")


def test_a_content_file_with_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    path = _put(tmp_path / "agents" / "My Role.md", CARD.format("Mine.", "[]"))

    assert _refusal(tmp_path).startswith(f"{path}: 'My Role' is no name; use lower-case letters")


def test_a_package_file_in_a_content_folder_is_refused(tmp_path: Path) -> None:
    path = _put(tmp_path / "tools" / "__init__.py", "")

    assert (
        _refusal(tmp_path) == f"{path}: tools/ is a folder of files, not a Python package; remove this file"
    )


def test_files_of_editors_are_let_be(tmp_path: Path) -> None:
    _put(tmp_path / "agents" / ".#writer.md", "")
    _put(tmp_path / "tools" / "data.json", "")

    assert open_project(tmp_path).root == tmp_path


def test_a_server_file_with_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    _put(tmp_path / "mcp_servers" / "broken.py", "\ndef\n")
    _put(tmp_path / "mcp_servers" / "good.py", "")

    servers = open_project(tmp_path).servers

    assert servers["broken"].problem.startswith("line 2: no valid Python: ")
    assert servers["good"].problem == ""


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[model]\nslot = 2\n", "model.slot is no known key; did you mean 'slots'?"),
        ("[model]\nslots = 0\n", "model.slots: Input should be greater than or equal to 1, got 0"),
        ("[limits]\ntokens = 'many'\n", "limits.tokens: Input should be a valid integer"),
        ("[servers.files]\nwriting = true\n", "servers.files.writing is no known key; did you mean 'write'?"),
        (
            "[servers.file]\nwrite = true\n",
            "[servers.file]: there is no server 'file'; did you mean 'files'?",
        ),
        (
            "[servers.x]\nserver = 'files'\neffects = { write = 'safe' }\n",
            "servers.x.effects.write: Input should be",
        ),
        (
            "[servers.mine]\nwrite = true\n",
            "[servers.mine] write: only the built-in files and database have it",
        ),
        ("[modle]\n", "modle is no known key; did you mean 'model'?"),
        ("[model\n", "no valid TOML: "),
        ("[workspace]\npath = 'gone'\n", "there is no such folder; name the workspace in swarm.toml or make"),
    ],
)
def test_a_setting_that_means_nothing_is_refused_with_its_place(tmp_path: Path, toml: str, said: str) -> None:
    _put(tmp_path / "mcp_servers" / "mine.py", "")
    _put(tmp_path / "swarm.toml", toml)

    assert said in _refusal(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "gone") == (
        f"{tmp_path / 'gone'}: there is no such folder; name the project or make the folder"
    )


def test_the_current_folder_is_the_project_when_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert open_project().root == tmp_path
