"""Functions as tools: from a file of a project, and from the program that uses it."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, TypedDict

import pytest
from pydantic import BaseModel, Field, JsonValue

from swarm.errors import ProjectError, ServerError, ToolError
from swarm.hub.hub import Hub
from swarm.nouns.tool import CallContext, Tool, ToolCall, ToolContext, ToolResult, tool
from swarm.project.project import Project

pytestmark = pytest.mark.anyio

Make = Callable[..., Project]
Tell = Callable[..., CallContext]


class Unreadable(TypedDict):
    """A dict as typing's own word for it describes it."""

    name: str


WORDS = '''
"""Words."""

from __future__ import annotations

from dataclasses import dataclass

from swarm.nouns.tool import ToolContext, tool


@dataclass
class Count:
    word: str
    times: int


@tool(effect="pure")
def count(text: str, word: str = "the") -> list[Count]:
    """Counts a word."""
    return [Count(word, text.split().count(word))]


@tool(effect="pure")
async def names(context: ToolContext) -> str:
    """Names the tables."""
    return ", ".join(context.tables())


def count_helper() -> None:
    """No tool."""
'''


class Colour(Enum):
    """An enumeration, as a type of an argument."""

    RED = "red"


class Sum(BaseModel):
    """What an addition gives."""

    total: int


def add(
    a: Annotated[int, Field(description="First.")], b: int = 2, *, schema: Literal["x", "y"] | None = None
) -> Sum:
    """Adds two numbers.

    Slowly.
    """
    return Sum(total=a + b)


def _file(folder: Path, text: str) -> Path:
    path = folder / "words.py"
    path.write_text(text, encoding="utf-8")
    return path


def _call(name: str, **args: JsonValue) -> ToolCall:
    return ToolCall(tool=name, args=args)


async def test_the_functions_of_a_file_are_tools(make_project: Make, tell: Tell, tmp_path: Path) -> None:
    project = make_project(tools=(_file(tmp_path, WORDS),))

    async with Hub.open(project) as hub:
        count, names = await hub.tools(("words",))
        counted = await hub.call(_call("words.count", text="the cat the dog"), tell())
        named = await hub.call(_call("words.names"), tell(notes=[{"a": 1}], sums=[]))

    assert count == Tool(
        server="words",
        name="count",
        description="Counts a word.",
        input_schema={
            "type": "object",
            "properties": {"text": {"type": "string"}, "word": {"type": "string", "default": "the"}},
            "required": ["text"],
        },
        effect="pure",
        pin=count.pin,
    )
    assert count.pin.startswith("words ")
    assert names.input_schema == {"type": "object", "properties": {}}
    assert counted == ToolResult(text='[{"word": "the", "times": 2}]', data=[{"word": "the", "times": 2}])
    assert named == ToolResult(text="notes, sums")


async def test_the_functions_of_a_program_are_tools(make_project: Make, tell: Tell) -> None:
    async with Hub.open(make_project(), functions=[add]) as hub:
        (shown,) = await hub.tools(("python",))
        given = await hub.call(_call("python.add", a=1, schema="x"), tell())
        wrong = await hub.call(_call("python.add", a="one"), tell())

    assert (shown.full_name, shown.description, shown.effect) == (
        "python.add",
        "Adds two numbers.",
        "irreversible",
    )
    assert shown.input_schema["properties"] == {
        "a": {"type": "integer", "description": "First."},
        "b": {"type": "integer", "default": 2},
        "schema": {"type": "string", "enum": ["x", "y"]},
    }
    assert given == ToolResult(text='{"total": 3}', data={"total": 3})
    assert wrong == ToolResult(
        text="python.add was not called: argument 'a' must be integer, got \"one\"", is_error=True
    )


async def test_arguments_arrive_as_the_types_that_a_function_names(make_project: Make, tell: Tell) -> None:
    seen: list[object] = []

    def take(day: date, colour: Colour, sums: list[Sum]) -> None:
        """Takes them."""
        seen.extend([day, colour, sums])

    async with Hub.open(make_project(), functions=[take]) as hub:
        call = _call("python.take", day="2026-03-01", colour="red", sums=[{"total": 1}])
        assert await hub.call(call, tell()) == ToolResult(text="done")
        wrong = await hub.call(_call("python.take", day="1 March", colour="red", sums=[]), tell())

    assert seen == [date(2026, 3, 1), Colour.RED, [Sum(total=1)]]
    assert wrong.is_error
    assert wrong.text.startswith("argument 'day': Input should be a valid date")


async def test_what_a_function_raises_is_told_to_the_model(make_project: Make, tell: Tell) -> None:
    def refuse() -> None:
        """Refuses."""
        raise ToolError("no file 'a'; use list to see the files")

    async def fail() -> None:
        """Fails."""
        raise KeyError("a")

    def stop() -> None:
        """Ends an iteration, which no future can carry."""
        raise StopIteration

    async with Hub.open(make_project(), functions=[refuse, fail, stop]) as hub:
        results = [await hub.call(_call(f"python.{name}"), tell()) for name in ("refuse", "fail", "stop")]

    assert [result.is_error for result in results] == [True] * 3
    assert [result.text for result in results] == [
        "no file 'a'; use list to see the files",
        "KeyError: 'a'",
        "RuntimeError: StopIteration: ",
    ]


async def test_blocking_functions_run_beside_each_other(make_project: Make, tell: Tell) -> None:
    together = threading.Barrier(20, timeout=30)

    def meet() -> str:
        """Returns when twenty are there."""
        together.wait()
        return "met"

    async with Hub.open(make_project(), functions=[meet]) as hub, asyncio.TaskGroup() as group:
        calls = [group.create_task(hub.call(_call("python.meet"), tell())) for _ in range(20)]

    assert {call.result().text for call in calls} == {"met"}


async def test_a_function_that_does_not_return_ends_its_call_on_time(make_project: Make, tell: Tell) -> None:
    release = threading.Event()

    def hang() -> None:
        """Waits for the end of the test."""
        release.wait(30)

    async def sleep() -> None:
        """Waits for ever."""
        await asyncio.Event().wait()

    async with Hub.open(make_project(), functions=[hang, sleep]) as hub:
        for name in ("python.hang", "python.sleep"):
            with pytest.raises(ServerError, match=rf"^{name} did not return within 0.05 s$"):
                await hub.call(_call(name), tell(0.05))
    release.set()


async def test_a_timeout_of_the_functions_own_is_its_failure(make_project: Make, tell: Tell) -> None:
    async def ask() -> None:
        """Asks in vain."""
        raise TimeoutError("nobody answered")

    async with Hub.open(make_project(), functions=[ask]) as hub:
        result = await hub.call(_call("python.ask"), tell())

    assert result == ToolResult(text="TimeoutError: nobody answered", is_error=True)


async def test_a_value_that_json_cannot_hold_is_a_failure(make_project: Make, tell: Tell) -> None:
    def give() -> object:
        """Gives an object."""
        return object()

    async with Hub.open(make_project(), functions=[give]) as hub:
        result = await hub.call(_call("python.give"), tell())

    assert result.is_error
    assert result.took_effect
    assert result.text.startswith(
        "python.give was carried out, but what the tool gave (object) is nothing that JSON can hold: "
    )


async def test_a_result_of_a_tool_is_passed_on_and_its_text_made_plain(
    make_project: Make, tell: Tell
) -> None:
    @tool(effect="idempotent")
    def write(context: ToolContext) -> ToolResult:
        """Says what it wrote."""
        return ToolResult(text=f"in {context.workspace.name}\u200b", files=("a.csv",))

    async with Hub.open(make_project(), functions=[write]) as hub:
        (shown,) = await hub.tools(("python.write",))
        told = tell()
        result = await hub.call(_call("python.write"), told)

    assert shown.effect == "idempotent"
    assert result == ToolResult(text=f"in {told.workspace.name}", files=("a.csv",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "1 / 0\n" + WORDS.replace("from __future__ import annotations", ""),
            "cannot be loaded: ZeroDivisionError",
        ),
        (WORDS + "\ncount = 3\n", "'count' is no longer the tool it was marked as"),
        (
            WORDS.replace("text: str,", "text: Nothing,"),
            "the tool words.count: its annotations name 'Nothing'",
        ),
        (
            WORDS.replace("text: str,", "*text: str,"),
            r"the tool words.count: a model gives every argument by name; write one list for '\*text', such as "
            r"text: list\[str\]",
        ),
        (
            WORDS.replace('word: str = "the")', "**word: str)"),
            r"write one dict for '\*\*word', such as word: dict\[str, str\]",
        ),
        (WORDS.replace("text: str,", "text: str, /,"), "take away the '/' behind 'text'"),
        (WORDS.replace("text: str,", "text: object,"), None),
        (WORDS.replace("text: str,", "text: ToolContext.__class__,"), "has a type that JSON cannot hold"),
    ],
)
async def test_a_file_that_cannot_be_used_is_an_error_of_the_project(
    make_project: Make, tell: Tell, tmp_path: Path, text: str, said: str | None
) -> None:
    project = make_project(tools=(_file(tmp_path, text),))

    async with Hub.open(project) as hub:
        if said is None:
            assert len(await hub.tools(("words",))) == 2
            return
        with pytest.raises(ProjectError, match=said):
            await hub.tools(("words",))
        assert (await hub.call(_call("words.count", text="a"), tell())).is_error
        (state,) = await hub.describe()

    assert not state.started
    assert state.error


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="from 3.12 on typing's own can be read")
async def test_a_typed_dict_that_cannot_be_read_here_is_refused_with_the_import_that_can(
    make_project: Make,
) -> None:
    def say(one: Unreadable) -> str:
        """Says."""
        return one["name"]

    with pytest.raises(ProjectError) as caught:
        async with Hub.open(make_project(), functions=[say]):
            pytest.fail("it was opened")
    assert str(caught.value) == (
        "the tool python.say: before Python 3.12 a TypedDict is read from typing_extensions alone; "
        "write: from typing_extensions import TypedDict"
    )


@pytest.mark.parametrize("functions", [[add, add], [lambda: None]])
async def test_functions_without_a_name_of_their_own_are_refused(
    make_project: Make, functions: list[Callable[..., object]]
) -> None:
    with pytest.raises(ProjectError, match=r"two functions are called 'add'|cannot be a tool"):
        async with Hub.open(make_project(), functions=functions):
            pass


async def test_what_a_tool_prints_goes_to_stderr_and_what_others_print_meanwhile_to_stdout(
    make_project: Make, tell: Tell, capsys: pytest.CaptureFixture[str]
) -> None:
    waits, goes_on = asyncio.Event(), asyncio.Event()

    def blocking() -> str:
        """Prints in a thread."""
        print("from a thread")  # noqa: T201
        return "done"

    async def waiting() -> str:
        """Prints before and after others print."""
        print("from a task")  # noqa: T201
        waits.set()
        await goes_on.wait()
        await asyncio.to_thread(print, "from a thread of a task")
        return "done"

    def yielding() -> Iterator[str]:
        """Prints while it is read."""
        print("from a generator")  # noqa: T201
        yield "done"

    before = sys.stdout
    async with Hub.open(make_project(), functions=[blocking, waiting, yielding]) as hub:
        async with asyncio.TaskGroup() as group:
            call = group.create_task(hub.call(_call("python.waiting"), tell()))
            await waits.wait()
            print("the answer")  # noqa: T201
            await hub.call(_call("python.blocking"), tell())
            print("more of it")  # noqa: T201
            goes_on.set()
        assert (await call).text == "done"
        assert (await hub.call(_call("python.yielding"), tell())).data == ["done"]
    assert sys.stdout is before
    said = capsys.readouterr()
    assert said.out == "the answer\nmore of it\n"
    assert said.err.splitlines() == [
        "from a task", "from a thread", "from a thread of a task", "from a generator",
    ]  # fmt: skip


async def test_what_a_file_of_tools_prints_when_it_is_loaded_goes_to_stderr(
    make_project: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tools=(_file(tmp_path, f"{WORDS}\nprint('loaded')\n"),))
    async with Hub.open(project) as hub:
        await hub.tools(("words",))
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "loaded\n")


async def test_bytes_are_no_result_and_it_is_said_what_is(make_project: Make, tell: Tell) -> None:
    def picture() -> bytes:
        """Gives a picture."""
        return b"\x89PNG"

    async with Hub.open(make_project(), functions=[picture]) as hub:
        result = await hub.call(_call("python.picture"), tell())
    assert result == ToolResult(
        text="python.picture was carried out, but the tool gave bytes, and a tool gives text or data; "
        "let it write them to a file",
        is_error=True,
        took_effect=True,
    )


async def test_a_useless_value_of_a_tool_that_only_reads_is_a_failure_and_its_own_error_stays(
    make_project: Make, tell: Tell
) -> None:
    @tool(effect="pure")
    def read(length: int) -> str:
        """Reads."""
        return "x" * length

    def own() -> ToolResult:
        """Fails by itself."""
        return ToolResult(text="no such row", is_error=True)

    async with Hub.open(make_project(), functions=[read, own]) as hub:
        long = await hub.call(_call("python.read", length=2_000_001), tell())
        said = await hub.call(_call("python.own"), tell())

    assert long == ToolResult(
        text="python.read failed: the answer has 2,000,001 characters, more than 2,000,000; "
        "ask for less (a range, a filter, a limit)",
        is_error=True,
    )
    assert said == ToolResult(text="no such row", is_error=True)


async def test_a_tool_that_raises_says_nothing_on_stderr_and_a_log_has_its_own_frames_alone(
    make_project: Make, tell: Tell, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    def boom() -> None:
        """Raises."""
        raise ValueError("the database is down")

    caplog.set_level("INFO", logger="swarm.hub")
    async with Hub.open(make_project(), functions=[boom]) as hub:
        result = await hub.call(_call("python.boom"), tell())
    assert result.text == "ValueError: the database is down"
    assert capsys.readouterr().err == ""
    (logged,) = caplog.records
    assert logged.levelname == "INFO"
    assert logged.exc_info is not None
    assert [frame.name for frame in traceback.extract_tb(logged.exc_info[2])] == ["boom"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: tool(lambda: None),
        lambda: tool()(lambda: None),
        lambda: tool(effect="purely"),  # type: ignore[arg-type]  # what a person may write
        lambda: tool("pure"),
    ],
)
def test_a_tool_that_is_marked_wrongly_is_refused_where_it_is_written(make: Callable[[], object]) -> None:
    with pytest.raises(ProjectError, match="pure, idempotent, keyed, verifiable, irreversible"):
        make()
