"""Starting a program: what it is given, how it is talked to, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL

import pytest

from benchmarks.sandbox_bounds import SMALL
from swarm.errors import ProjectError
from swarm.sandbox.confined import Ending
from swarm.sandbox.confinement import Confinement
from swarm.sandbox.confiner import Way, choose
from swarm.sandbox.launch import Program
from swarm.sandbox.start import start

pytestmark = pytest.mark.anyio

SECONDS = 60.0
BARE = (sys.executable, "-I", "-S", "-c")


def walls(folder: Path) -> Confinement:
    return replace(SMALL, writable=(folder,))


async def run(way: Way, folder: Path, code: str, **env: str) -> tuple[Ending, str, str]:
    """How a program ended, and what it wrote."""
    program = Program((*BARE, code), folder, env)
    async with asyncio.timeout(SECONDS), start(way, walls(folder), program) as confined:
        assert confined.stdout
        assert confined.stderr
        ending = await confined.wait()
        said, complaint = await confined.stdout.read(), await confined.stderr.read()
    return ending, said.decode(), complaint.decode()


async def test_it_reads_its_input_and_answers_on_a_descriptor_of_its_own(way: Way, tmp_path: Path) -> None:
    code = "import os, sys\nos.write(int(sys.argv[1]), sys.stdin.buffer.readline().upper())"
    reads, writes = os.pipe()
    program = Program((*BARE, code, f"{writes}"), tmp_path, {}, pass_fds=(writes,))

    async with asyncio.timeout(SECONDS), start(way, walls(tmp_path), program) as confined:
        os.close(writes)
        assert confined.stdin
        confined.stdin.write(b"hello\n")
        await confined.stdin.drain()
        ending = await confined.wait()
    with os.fdopen(reads, "rb") as pipe:
        said = pipe.read()

    assert (ending, said) == (Ending(0), b"HELLO\n")


async def test_it_reads_what_is_readable_and_leaves_what_it_writes(way: Way, tmp_path: Path) -> None:
    shown, out = tmp_path / "shown", tmp_path / "shown" / "out"
    out.mkdir(parents=True)
    (shown / "table.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    confinement = replace(SMALL, readable=(shown,), writable=(out,))
    code = "text = open('../table.csv').read(); open('copy', 'w').write(text)"

    async with (
        asyncio.timeout(SECONDS),
        start(way, confinement, Program((*BARE, code), out, {})) as confined,
    ):
        ending = await confined.wait()

    assert (ending, (out / "copy").read_text(encoding="utf-8")) == (Ending(0), "a,b\n1,2\n")


async def test_it_has_the_environment_that_is_passed_and_no_other(
    way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_KEY_OF_THE_USER", "secret")
    code = "import os; print(sorted(set(os.environ) - {'PWD', 'LC_CTYPE'}), os.environ['GIVEN'])"

    _, said, _ = await run(way, tmp_path, code, GIVEN="here")

    assert said == "['GIVEN', 'HOME', 'LANG', 'PATH', 'TMPDIR'] here\n"


async def test_it_has_a_folder_for_temporary_files_that_is_gone_afterwards(way: Way, tmp_path: Path) -> None:
    code = "import tempfile; print(tempfile.mkstemp()[1])"

    ending, said, _ = await run(way, tmp_path, code)

    assert ending == Ending(0)
    with pytest.raises(FileNotFoundError):
        os.close(os.open(said.strip(), os.O_RDONLY))


async def test_its_packages_are_those_of_this_python(way: Way, tmp_path: Path) -> None:
    program = Program(
        (sys.executable, "-c", "import pydantic, asyncio; print(pydantic.__name__)"), tmp_path, {}
    )

    async with asyncio.timeout(SECONDS), start(way, walls(tmp_path), program) as confined:
        assert confined.stdout
        assert await confined.stdout.read() == b"pydantic\n"


async def test_an_exit_code_and_a_signal_are_told(way: Way, tmp_path: Path) -> None:
    left, said, complaint = await run(way, tmp_path, "import sys; print('half'); sys.exit('no more')")
    aborted, _, _ = await run(way, tmp_path, "import os; os.abort()")

    assert (left, said, complaint) == (Ending(1), "half\n", "no more\n")
    assert aborted == Ending(128 + signal.SIGABRT)


async def test_a_cancelled_block_leaves_no_process(way: Way, tmp_path: Path) -> None:
    pids: list[int] = []
    begun = asyncio.Event()

    async def hold() -> None:
        program = Program((*BARE, "print(1, flush=True); input()"), tmp_path, {})
        async with start(way, walls(tmp_path), program) as confined:
            assert confined.stdout
            await confined.stdout.readline()
            pids.append(confined.pid)
            begun.set()
            await asyncio.Event().wait()

    async with asyncio.timeout(SECONDS):
        task = asyncio.create_task(hold())
        await begun.wait()
        task.cancel()
        await asyncio.wait([task])

    assert task.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


async def test_an_error_in_the_block_comes_out_as_it_is(way: Way, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"):
        async with start(way, walls(tmp_path), Program((*BARE, "input()"), tmp_path, {})):
            raise ValueError("mine")


@pytest.mark.parametrize(
    ("argv", "cwd", "said"),
    [
        (("python3",), "", "'python3': the program must be an absolute path"),
        (("/usr/bin/no-such-program",), "", "'/usr/bin/no-such-program': the program is not there"),
        ((sys.executable,), "/etc", "'/etc': its working folder is not visible in the sandbox"),
    ],
)
async def test_what_cannot_start_is_told_by_name(
    argv: tuple[str, ...], cwd: str, said: str, way: Way, tmp_path: Path
) -> None:
    program = Program(argv, Path(cwd or tmp_path), {})

    with pytest.raises(ProjectError, match="^" + said):
        async with start(way, walls(tmp_path), program):
            pass


async def test_a_program_that_is_no_program_is_told(way: Way, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"\x00\x01\x02")
    text.chmod(0o755)
    program = Program((str(text),), tmp_path, {})

    async def begin() -> Ending:
        async with asyncio.timeout(SECONDS), start(way, walls(tmp_path), program) as confined:
            return await confined.wait()

    if way.name == "landlock":
        with pytest.raises(ProjectError, match="not confined: "):
            await begin()
    else:
        # bubblewrap gives it to the shell, which finds no command in it.
        assert (await begin()).code in {1, 126, 127}


async def test_without_a_sandbox_it_is_bounded_and_ended_all_the_same(tmp_path: Path) -> None:
    way = choose("none")

    ending, said, _ = await run(way, tmp_path, "print(len(bytearray(1 << 30)))")
    killed, _, _ = await run(way, tmp_path, "n = 0\nwhile True: n += 1; open(str(n), 'w').close()")

    assert (ending.code, said) == (1, "")
    assert killed == Ending(137, "it made more than 200 files")


async def test_without_a_sandbox_its_group_ends_with_the_block_though_it_ended_before(tmp_path: Path) -> None:
    code = "import os, signal\nif os.fork() == 0: signal.pause()"
    reads, writes = os.pipe()
    program = Program((*BARE, code), tmp_path, {}, pass_fds=(writes,), stdout=DEVNULL, stderr=DEVNULL)

    async with (
        asyncio.timeout(SECONDS),
        start(choose("none"), replace(walls(tmp_path), processes=1), program) as confined,
    ):
        os.close(writes)
        ending = await confined.wait()
    os.set_blocking(reads, False)
    with os.fdopen(reads, "rb", buffering=0) as pipe:
        left = pipe.read()

    assert (ending, left) == (Ending(0), b"")


@pytest.mark.parametrize(
    ("readable", "writable", "said"),
    [
        (("here",), (), "'here': a path of the sandbox must be absolute"),
        (("/no/such/folder",), (), "'/no/such/folder': not found"),
        (("/",), (), "'/': too much for a sandbox to show"),
        (("/usr/../proc",), (), "'/usr/../proc': too much for a sandbox to show"),
        ((), ("/usr/bin/env",), "'/usr/bin/env': the sandbox can give only a folder to write into"),
        (("/usr/bin",), ("/usr",), "'/usr/bin': it lies in '/usr', which may be written"),
    ],
)
def test_walls_that_mean_nothing_are_refused(
    readable: tuple[str, ...], writable: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ProjectError, match="^" + said):
        Confinement(readable=tuple(map(Path, readable)), writable=tuple(map(Path, writable)))
