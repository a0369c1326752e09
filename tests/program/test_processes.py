"""Programs in their process: whatever one does, it ends in an outcome that says what happened."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.errors import ProjectError, StoreError
from swarm.program import dialogue
from swarm.program.program_process import run_program
from swarm.program.program_wire import Order
from swarm.sandbox.confiner import Way, choose
from tests.program.conftest import Ran, no_calls

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

WIRE = """
import os, stat

def is_socket(number):
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:
        return False

wire = next(number for number in range(3, 64) if is_socket(number))
"""


async def test_a_program_reads_saves_and_answers(ran: Ran) -> None:
    outcome = await ran(
        """
rows = [{"guest": lines(name)[0].split(": ")[1], "nights": int(lines(name)[1].split()[0])} for name in files("notes/*.txt")]
save("nights.csv", rows)
answer({"total": sum(row["nights"] for row in rows)})
"""
    )

    assert outcome.error == ""
    assert outcome.answer == {"total": 7}
    assert outcome.files["nights.csv"].text == "guest,nights\nAnn,2\nBob,5\n"
    assert outcome.read == ("notes/ann.txt", "notes/bob.txt")


@pytest.mark.parametrize("name", ["auto", "bubblewrap", "landlock", "none"])
async def test_every_way_of_confinement_gives_the_same(name: str, workspace: Path) -> None:
    order = Order(
        'save("a.csv", sql("SELECT place FROM prices"))\nanswer(len(files()))',
        str(workspace),
        "",
        "",
        tables=[{"name": "prices", "pattern": "prices.csv"}],
    )
    try:
        way: Way = choose(name)  # type: ignore[arg-type]  # one of the settings
    except ProjectError as error:
        pytest.skip(f"not here: {error}")

    outcome = await run_program(order, no_calls, way)

    assert (outcome.error, outcome.answer) == ("", 4)
    assert outcome.files["a.csv"].text == "place\npool\ngym\n"


@pytest.mark.parametrize("name", ["a folder of Jürgen's", "数据 = 'x'", ".hidden"])
async def test_a_workspace_may_have_any_name(name: str, tmp_path: Path) -> None:
    place = tmp_path / name
    place.mkdir()
    (place / "ä b.txt").write_text("x\n", encoding="utf-8")
    order = Order('save("ö.txt", read("ä b.txt"))\nanswer(files())', str(place), "", "")

    outcome = await run_program(order, no_calls, choose("auto"))

    assert (outcome.error, outcome.answer) == ("", ["ä b.txt", "ö.txt"])
    assert outcome.files["ö.txt"].text == "x\n"


ENDS = {
    "raise ValueError('no such guest')": "line 1, \"raise ValueError('no such guest')\": ValueError: no such guest",
    "x = (": "line 1, 'x = (': SyntaxError: '(' was never closed (program.py, line 1)",
    "x = {}\ny = x['a']": "line 2, \"y = x['a']\": KeyError: no key 'a'",
    "import sys\nsys.exit('gave up')": "the program left with 'gave up'",
    "import os\nos._exit(7)": "it left with code 7 before its end",
    "import pandas": "line 1, 'import pandas': ModuleNotFoundError: No module named 'pandas'; use table(name) for its "
    "rows and sql(query) for joins and sums",
    "x = [0] * 10**12": "line 1, 'x = [0] * 10**12': MemoryError: ; hold less at once: sql(query) sums without "
    "holding all rows",
    "def f(): return f()\nf()": "line 1, 'def f(): return f()': RecursionError: maximum recursion depth exceeded",
    "x = []\nx.append(x)\nanswer(x)": "line 3, 'answer(x)': ValueError: lists and dicts nest deeper than 60 here; does one "
    "hold itself?",
    "print('x' * 30_000)": "it printed over 20,000 characters and gave nothing else; save() or answer()",
    "answer('x' * 70_000_000)": "the answer holds 70,000,",
    "from pathlib import Path\nPath('new.txt').write_text('x')": "files are written by save(name, data) and taken away by "
    "remove(name)",
    "extract('x', 'a')": "RuntimeError: nobody answers extract",
    "import ctypes\nctypes.string_at(0)": "it left with code 139 before its end",
}


@pytest.mark.parametrize("program", ENDS)
async def test_a_program_that_fails_says_where_and_why(program: str, ran: Ran) -> None:
    outcome = await ran(program)

    assert ENDS[program] in outcome.error
    assert outcome.files == {}


async def test_an_exit_without_a_message_is_an_end(ran: Ran) -> None:
    outcome = await ran("answer(1)\nexit()")

    assert (outcome.error, outcome.answer) == ("", 1)


HOSTILE = {
    "closes the wire and sleeps": WIRE + "os.close(wire)\nos.pipe()\nimport time\ntime.sleep(100)",
    "writes garbage": WIRE + 'os.write(wire, b"hello\\n")\nimport time\ntime.sleep(100)',
    "writes a list": WIRE + 'os.write(wire, b"[1]\\n")\nimport time\ntime.sleep(100)',
    "nests without end": WIRE + 'os.write(wire, b"[" * 200_000 + b"\\n")\nimport time\ntime.sleep(100)',
    "forges an end of another form": WIRE
    + 'os.write(wire, b\'{"end": 1, "read": 3}\\n\')\nimport time\ntime.sleep(100)',
    "forges a removal outside": WIRE
    + 'os.write(wire, b\'{"end": 1, "removed": ["../../etc/passwd"]}\\n\')\nimport time\ntime.sleep(100)',
    "forges a deep answer": WIRE
    + 'os.write(wire, b\'{"end": 1, "answer": \' + b"[" * 3000 + b"]" * 3000 + b"}\\n")\nimport time\ntime.sleep(100)',
    "forges half a character": WIRE
    + 'os.write(wire, b\'{"end": 1, "has_answer": true, "answer": "\\\\ud800"}\\n\')\nimport time\ntime.sleep(100)',
    "forks": "import os\nos.fork()",
    "starts a process": "import subprocess\nsubprocess.run(['/bin/true'])",
    "ends its threads' home": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "makes a link": "import os\nos.symlink('/etc/passwd', save.__self__._overlay.written / 'x')\nanswer(1)",
    "writes into a hidden folder": "p = save.__self__._overlay.written / '.git' / 'hooks' / 'x'\np.parent.mkdir(parents=True)\n"
    "p.write_text('x')\nanswer(1)",
    "makes a pipe": "import os\nos.mkfifo(save.__self__._overlay.written / 'x')\nanswer(1)",
}


@pytest.mark.parametrize("deed", HOSTILE)
async def test_a_hostile_program_ends_in_an_error_and_leaves_nothing(
    deed: str, ran: Ran, workspace: Path
) -> None:
    before = names_below(workspace)

    outcome = await ran(HOSTILE[deed])

    assert outcome.error
    assert outcome.files == {}
    assert names_below(workspace) == before


def names_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


async def test_a_program_that_computes_too_long_is_ended(ran: Ran) -> None:
    outcome = await ran("while True: pass", seconds=1.0)

    assert outcome.error == "it took over 1 s by itself; do less, or loop over less"


async def test_time_that_a_program_waits_for_an_answer_is_not_its_own(ran: Ran) -> None:
    asked = asyncio.Event()

    async def slow(call: dict[str, JsonValue]) -> JsonValue:
        asked.set()
        await asyncio.sleep(1.5)
        return 3

    outcome = await ran("answer(ask('how many?', 'three'))", slow, seconds=1.0)

    assert asked.is_set()
    assert (outcome.error, outcome.answer) == ("", 3)


async def test_threads_that_outlive_the_program_end_with_it(ran: Ran) -> None:
    outcome = await ran(
        "import threading, time\nthreading.Thread(target=lambda: time.sleep(100)).start()\nanswer(1)"
    )

    assert (outcome.error, outcome.answer) == ("", 1)


async def test_much_on_stderr_holds_nothing_up(ran: Ran) -> None:
    outcome = await ran("import os\nfor _ in range(3_000): os.write(2, b'x' * 1_000)\nanswer(1)")

    assert (outcome.error, outcome.answer) == ("", 1)


async def test_calls_side_by_side_are_answered_side_by_side(ran: Ran) -> None:
    gate = asyncio.Barrier(20)

    async def together(call: dict[str, JsonValue]) -> JsonValue:
        await gate.wait()
        return f"{call['text']}!"

    outcome = await ran("answer(ask('what?', [str(n) for n in range(20)]))", together)

    assert outcome.answer == [f"{n}!" for n in range(20)]


async def test_a_flood_of_calls_is_answered_to_the_last(ran: Ran) -> None:
    async def echo(call: dict[str, JsonValue]) -> JsonValue:
        return call["text"]

    outcome = await ran("answer(len(set(ask('what?', [str(n) * 500 for n in range(5_000)]))))", echo)

    assert (outcome.error, outcome.answer) == ("", 5_000)


async def test_a_program_that_takes_no_answers_is_ended_in_time(ran: Ran) -> None:
    async def long(call: dict[str, JsonValue]) -> JsonValue:
        return "x" * 1_000_000

    flood = (
        WIRE
        + """
import json, threading
line = ask.__self__._line
line._lock.acquire()
while True:
    os.write(wire, b'{"number": 1, "call": "ask"}\\n')
"""
    )
    outcome = await ran(flood, long, seconds=2.0)

    assert outcome.error == "it took over 2 s by itself; do less, or loop over less"


async def test_a_program_may_make_so_many_calls_and_no_more(
    ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound is lowered: as many calls as are allowed would take a minute."""
    monkeypatch.setattr(dialogue, "MOST_CALLS", 3)

    async def echo(call: dict[str, JsonValue]) -> JsonValue:
        return 1

    outcome = await ran("for n in range(5): ask('x', 'y')", echo)

    assert "RuntimeError: it made more than 3 calls; a program may make no more" in outcome.error


async def test_an_answer_or_a_call_that_is_too_large_is_an_error(ran: Ran) -> None:
    async def huge(call: dict[str, JsonValue]) -> JsonValue:
        return "x" * 70_000_000

    told = await ran("answer(ask('x', 'y'))", huge)
    asked = await ran("ask('x', 'y' * 70_000_000)", huge)

    assert "RuntimeError: the answer is too large; ask for less at once" in told.error
    assert "bytes; at most 67,108,864 are sent at once" in asked.error


async def test_a_large_answer_comes_whole(ran: Ran) -> None:
    outcome = await ran("answer('x' * 50_000_000)")

    assert outcome.error == ""
    assert isinstance(outcome.answer, str)
    assert len(outcome.answer) == 50_000_000


async def test_ten_thousand_files_come_whole_and_more_are_refused(ran: Ran) -> None:
    most = await ran("for n in range(10_000): save(f'out/{n}.txt', str(n))")
    over = await ran("for n in range(10_001): save(f'out/{n}.txt', str(n))")

    assert most.error == ""
    assert len(most.files) == 10_000
    assert most.files["out/7.txt"].text == "7\n"
    assert over.error.startswith("it wrote 10,001 files")


async def test_results_that_are_too_large_for_a_program_are_an_error(ran: Ran) -> None:
    outcome = await ran("answer(1)", results={"big": "x" * 70_000_000})

    assert outcome.error.startswith("what earlier steps gave is too large for a program: 70,000,")


async def test_a_failure_of_the_run_is_not_told_to_the_program(ran: Ran) -> None:
    async def broken(call: dict[str, JsonValue]) -> JsonValue:
        raise StoreError("the disk is full")

    with pytest.raises(ExceptionGroup) as caught:
        await ran("try:\n    ask('x', 'y')\nexcept Exception:\n    answer(1)", broken)

    assert isinstance(caught.value.exceptions[0], StoreError)


async def test_a_bug_in_the_run_is_not_told_as_the_programs(ran: Ran) -> None:
    async def broken(call: dict[str, JsonValue]) -> JsonValue:
        raise ValueError("a bug")

    with pytest.raises(ExceptionGroup):
        await ran("ask('x', 'y')", broken)


async def test_a_program_that_is_cancelled_is_gone(ran: Ran, workspace: Path) -> None:
    asked = asyncio.Event()
    told: list[JsonValue] = []

    async def hold(call: dict[str, JsonValue]) -> JsonValue:
        told.append(call["text"])
        asked.set()
        return await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            anyhow(ran("import os\nask('x', os.readlink('/proc/self/ns/pid'))\nanswer(1)", hold))
        )
        await asked.wait()
        assert alive_in(str(told[0]))
        task.cancel()

    assert not alive_in(str(told[0]))


async def anyhow(work: object) -> None:
    """Awaits it, and lets a cancellation be its end."""
    await work  # type: ignore[misc]  # an outcome that nobody wants


def alive_in(namespace: str) -> list[str]:
    """Programs that are at work; all of them are found where the sandbox gives none its own namespace."""
    found: list[str] = []
    for process in Path("/proc").iterdir():
        try:
            is_ours = b"program/boot.py" in (process / "cmdline").read_bytes()
            if is_ours and str((process / "ns/pid").readlink()) == namespace:
                found.append(process.name)
        except OSError:
            continue
    return found


async def test_the_clock_stands_still_and_chance_is_the_same(ran: Ran) -> None:
    program = """
import random, time, datetime
from datetime import date
answer([random.random(), time.time(), time.strftime("%Y-%m-%d"), time.time_ns(), str(date.today()),
        datetime.datetime.now(datetime.timezone.utc).isoformat(), list({"a", "b", "c"})])
"""
    now = 86_400.0 * 365

    first, second = await ran(program, now=now, seed=3), await ran(program, now=now, seed=3)

    assert first.error == ""
    assert first.answer == second.answer
    assert isinstance(first.answer, list)
    assert first.answer[1:6] == [
        now, "1971-01-01", int(now * 1e9), "1971-01-01", "1971-01-01T00:00:00+00:00"
    ]  # fmt: skip


async def test_files_that_are_read_by_hand_are_known(ran: Ran, workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "shop.db")) as base, base:
        base.execute("CREATE TABLE t (x INT)")
    outcome = await ran(
        """
import sqlite3
from pathlib import Path
Path("prices.csv").read_text()
with open("notes/ann.txt") as file: file.read()
answer(sqlite3.connect("shop.db").execute("SELECT COUNT(*) FROM t").fetchone()[0])
"""
    )

    assert (outcome.error, outcome.answer) == ("", 0)
    assert outcome.read == ("prices.csv", "notes/ann.txt", "shop.db")
