"""``swarm serve``: a server of the project for another client."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from swarm.cli.serve import serve
from swarm.errors import ProjectError

pytestmark = pytest.mark.anyio

SERVE = "import sys; from pathlib import Path; from swarm.cli.serve import serve; serve(sys.argv[1], Path(sys.argv[2]))"


async def test_another_client_uses_a_server_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello", encoding="utf-8")
    command = StdioServerParameters(command=sys.executable, args=["-c", SERVE, "files", str(tmp_path)])

    async with Client(command, read_timeout_seconds=30) as client:
        result = await client.call_tool("glob", {"pattern": "*.txt"})

    assert result.structured_content == {"result": ["a.txt"]}


def test_a_server_that_cannot_be_served_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"there is no server 'file'; did you mean 'files'\?"):
        serve("file", tmp_path)

    entries = '{"mcpServers": {"web": {"url": "http://localhost:1"}, "gone": {"command": "no-such-program"}}}'
    (tmp_path / ".mcp.json").write_text(entries, encoding="utf-8")
    with pytest.raises(
        ProjectError, match="the server 'web' runs at 'http://localhost:1'; connect to it there"
    ):
        serve("web", tmp_path)
