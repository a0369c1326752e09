"""Who gets the servers and tools that a project adds."""

from __future__ import annotations

import json
from pathlib import Path

from swarm.project.project import Project, open_project

SERVER = '"""Knows the prices of kettles."""\n'
TOOL = '''from swarm import tool


@tool(effect="pure")
def area(width: float) -> float:
    """Gives an area."""
    return width
'''


def _project(
    folder: Path, cards: dict[str, str] | None = None, entries: dict[str, object] | None = None
) -> Project:
    (folder / "mcp_servers").mkdir()
    (folder / "mcp_servers" / "shop.py").write_text(SERVER, encoding="utf-8")
    (folder / "agents").mkdir()
    for name, tools in (cards or {}).items():
        card = f"---\ndescription: Works.\ntools: {tools}\n---\n"
        (folder / "agents" / f"{name}.md").write_text(card, encoding="utf-8")
    servers = {"memory": {"command": "npx", "args": ["memory"]}, **(entries or {})}
    (folder / ".mcp.json").write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    return open_project(folder)


def test_servers_that_no_card_names_go_to_the_generalist_and_the_planner_is_told(tmp_path: Path) -> None:
    project = _project(tmp_path)

    card = project.cards["generalist"]
    assert card.tools[-2:] == ("memory", "shop")
    assert card.description.endswith(
        "; it alone has memory (npx memory), shop (Knows the prices of kettles.)"
    )
    assert project.agents_of("shop") == ("generalist",)


def test_a_server_that_a_card_names_goes_to_that_agent_alone(tmp_path: Path) -> None:
    project = _project(tmp_path, {"seller": "[shop.price]"})

    assert project.agents_of("shop") == ("seller",)
    assert project.cards["generalist"].tools[-1] == "memory"


def test_a_generalist_of_the_project_itself_is_left_as_it_is(tmp_path: Path) -> None:
    project = _project(tmp_path, {"generalist": "[files]"})

    assert project.cards["generalist"].tools == ("files",)
    assert project.agents_of("shop") == ()


def test_a_file_of_tools_that_no_card_names_goes_to_the_generalist_too(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "rooms.py").write_text(TOOL, encoding="utf-8")

    assert _project(tmp_path).cards["generalist"].tools[-1] == "rooms"


def test_a_star_in_a_card_is_all_that_can_be_used(tmp_path: Path) -> None:
    project = _project(tmp_path, {"star": '["*"]'}, {"bad": {"command": 5}})

    tools = project.cards["star"].tools
    assert {"files", "database", "shop", "memory", "calculate", "dates", "text"} <= set(tools)
    assert "bad" not in tools
    assert "*" not in tools


def test_a_server_that_is_off_or_cannot_be_used_goes_to_nobody(tmp_path: Path) -> None:
    (tmp_path / "swarm.toml").write_text("[servers.shop]\nenabled = false\n", encoding="utf-8")
    project = _project(tmp_path, {}, {"bad": {"command": "${UNSET_IN_THE_TEST}"}})

    assert project.cards["generalist"].tools[-1] == "memory"
    assert project.servers["bad"].problem


def test_many_servers_are_told_to_the_planner_in_a_few_words(tmp_path: Path) -> None:
    entries: dict[str, object] = {f"s{number:02}": {"command": "x" * 100} for number in range(30)}

    description = _project(tmp_path, {}, entries).cards["generalist"].description

    assert description.endswith(", 24 more")
    assert len(description) < 800
