"""Native tools: functions of this process, from a project's ``tools/`` or from a program."""

from __future__ import annotations

import inspect
import json
import logging
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import cast

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import ArgsKwargs, PydanticSerializationError, to_jsonable_python

from swarm.clock.awake import Deadline
from swarm.clock.pulse import within
from swarm.errors import ProjectError, ServerError, StoreError, ToolError
from swarm.hub.tools.aside import printing_aside
from swarm.hub.tools.offer import CAREFUL, DESCRIPTION_LENGTH, Offer, pin_of
from swarm.hub.tools.results import bounded, cleaned, failure, useless
from swarm.hub.tools.schema import Arguments, BadSchema, Schema, Trimmer, shortened
from swarm.hub.tools.threads import Threads
from swarm.nouns.tool import CallContext, Reading, Tool, ToolCall, ToolContext, ToolResult, effect_of
from swarm.project.folders import imported
from swarm.project.project import PYTHON
from swarm.project.tool_files import ToolFile
from swarm.safety.text import clean

logger = logging.getLogger("swarm.hub")

Function = Callable[..., object]
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


@dataclass(frozen=True)
class _Native:
    """A function, ready to be called with JSON."""

    function: Function
    adapter: TypeAdapter[dict[str, object]]
    context_name: str | None
    """The parameter that takes the call's context."""
    offer: Offer


class NativeTools:
    """The functions of one tool file, or those a program passed in. A file is loaded when first used."""

    def __init__(
        self, name: str, load: Callable[[], Sequence[tuple[str, Function]]], threads: Threads
    ) -> None:
        self._name = name
        self._load = load
        self._threads = threads
        self._found: dict[str, _Native] | None = None

    @property
    def name(self) -> str:
        """What stands before the dot in the full name of its tools."""
        return self._name

    async def offers(self) -> Mapping[str, Offer]:
        """Its tools by name."""
        return {name: native.offer for name, native in self._natives().items()}

    async def refused(self) -> Mapping[str, str]:
        """Nothing: a bad function is an error of the project."""
        return {}

    async def call(self, call: ToolCall, offer: Offer, context: CallContext) -> ToolResult:
        """What the function gives. Its exceptions come back as ``is_error`` results.

        A blocking function that does not return in time is left to itself.
        """
        native = self._natives()[offer.tool.name]
        deadline = Deadline(context.deadline_seconds)
        try:
            args = native.adapter.validate_python(ArgsKwargs((), dict(call.args)))
            if native.context_name:
                args[native.context_name] = context
            await context.leave()
            with within(call.tool, context.deadline_seconds):
                async with deadline:
                    return _result(offer.tool, await self._called(native.function, args))
        except ToolError as error:
            return failure(str(error))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            return failure(f"argument {place!r}: {first['msg']}")
        except StoreError:
            raise  # the run's file failed before the call could leave
        except Exception as error:  # foreign code: whatever a tool's function raises
            if deadline.is_over:
                raise ServerError(
                    f"{call.tool} did not return within {context.deadline_seconds:g} s"
                ) from error
            # Shown where a program asks for it: a person at a terminal reads the reason in the run.
            logger.info("%s failed", call.tool, exc_info=_from(native.function, error))
            return failure(f"{type(error).__name__}: {error}")

    async def read_back(self, call: ToolCall, offer: Offer) -> Reading | None:
        """Nothing: a function of ours has no other that reads back what it did."""
        return None

    async def _called(self, function: Function, args: dict[str, object]) -> object:
        if inspect.iscoroutinefunction(function):
            try:
                with printing_aside():
                    return await function(**args)
            except SystemExit as error:
                raise RuntimeError(f"it tried to end the program: SystemExit({error.code!r})") from error
        return await self._threads.run(partial(_aside, function, args))

    def _natives(self) -> dict[str, _Native]:
        if self._found is None:
            found: dict[str, _Native] = {}
            with printing_aside():
                loaded = self._load()
            for name, function in loaded:
                if name in found:
                    raise ProjectError(
                        f"two functions are called {name!r}; a tool's name is its function's, rename one"
                    )
                found[name] = _native(self._name, name, function)
            self._found = found
        return self._found

    def check(self) -> None:
        """Nothing, when each function can be a tool.

        Raises:
            ProjectError: one can't.
        """
        self._natives()


def from_file(file: ToolFile, threads: Threads) -> NativeTools:
    """The tools of a file of ``tools/``."""
    return NativeTools(file.name, partial(_functions_of, file), threads)


def from_functions(functions: Sequence[Function], threads: Threads) -> NativeTools:
    """The functions that a program passed in, as ``python.NAME``.

    Raises:
        ProjectError: one of them can't be a tool.
    """
    native = NativeTools(PYTHON, lambda: [(_named(function), function) for function in functions], threads)
    native.check()
    return native


def _aside(function: Function, args: dict[str, object]) -> object:
    """What a blocking function returns; a generator is read to its end here, where what it prints is seen to."""
    with printing_aside():
        value = function(**args)
        return list(cast("Iterable[object]", value)) if inspect.isgenerator(value) else value


def _from(function: Function, error: Exception) -> tuple[type[Exception], Exception, TracebackType | None]:
    """The error with the frames of the function and of what it called, without ours."""
    code: object = getattr(function, "__code__", None)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    return type(error), error, trace or error.__traceback__


def _functions_of(file: ToolFile) -> list[tuple[str, Function]]:
    module = imported(file.path, f"swarm_tools_{file.name.replace('-', '_')}", "cannot be loaded")
    functions: list[tuple[str, Function]] = []
    for declared in file.functions:
        function = getattr(module, declared.name, None)
        if not callable(function) or effect_of(function) != declared.effect:
            raise ProjectError(
                f"{file.path}:{declared.line}: {declared.name!r} is no longer the tool it was marked as"
            )
        functions.append((declared.name, function))
    return functions


def _named(function: object) -> str:
    if not callable(function):
        raise ProjectError(
            f"{shortened(repr(function), 80)} cannot be a tool: it is no function; pass a function"
        )
    name: object = getattr(function, "__name__", "")
    if not (isinstance(name, str) and name.isidentifier()):
        raise ProjectError(
            f"{shortened(repr(function), 80)} cannot be a tool; pass a function that has a name (def NAME(…): …)"
        )
    return name


def _native(server: str, name: str, function: Function) -> _Native:
    where = f"the tool {server}.{name}"
    parameters, context_name = _parameters(where, function)
    try:
        adapter = _adapter(parameters)
        schema = cast("Schema", adapter.json_schema())
        shown = Tool(
            server=server,
            name=name,
            description=shortened(inspect.getdoc(function) or name.replace("_", " "), DESCRIPTION_LENGTH),
            input_schema=Trimmer(schema).trimmed(),
            effect=effect_of(function) or CAREFUL,
            pin=pin_of(server, schema),
        )
        return _Native(function, adapter, context_name, Offer(shown, Arguments(schema)))
    except (PydanticUserError, BadSchema) as error:
        if isinstance(error, PydanticUserError) and error.code == "typed-dict-version":
            raise ProjectError(
                f"{where}: before Python 3.12 a TypedDict is read from typing_extensions alone; write: "
                "from typing_extensions import TypedDict"
            ) from error
        said = shortened(str(error), DESCRIPTION_LENGTH)
        raise ProjectError(f"{where}: a parameter has a type that JSON cannot hold: {said}") from error


def _parameters(where: str, function: Function) -> tuple[list[inspect.Parameter], str | None]:
    """The parameters a model fills in, with their types, and the name of the one for the context."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise ProjectError(
            f"{where}: its annotations name {error.name!r}, which is not there at run time"
        ) from error
    except (TypeError, SyntaxError, AttributeError) as error:
        raise ProjectError(
            f"{where}: its annotations cannot be read: {shortened(str(error), 150)}"
        ) from error
    parameters: list[inspect.Parameter] = []
    context_name: str | None = None
    for parameter in _signature(where, function).parameters.values():
        hint = hints.get(parameter.name, JsonValue)
        if hint in (ToolContext, CallContext):
            context_name = parameter.name
        elif parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            parameters.append(parameter.replace(annotation=hint, kind=parameter.KEYWORD_ONLY))
        else:
            raise ProjectError(f"{where}: a model gives every argument by name; {_by_name(parameter)}")
    return parameters, context_name


def _by_name(parameter: inspect.Parameter) -> str:
    """What to write for a parameter that can't be given by its name."""
    match parameter.kind:
        case inspect.Parameter.VAR_POSITIONAL:
            return f"write one list for '*{parameter.name}', such as {parameter.name}: list[str]"
        case inspect.Parameter.VAR_KEYWORD:
            return f"write one dict for '**{parameter.name}', such as {parameter.name}: dict[str, str]"
        case _:
            return f"take away the '/' behind {parameter.name!r}"


def _signature(where: str, function: Function) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (ValueError, TypeError) as error:
        raise ProjectError(
            f"{where}: it does not tell its parameters; wrap it in a function of yours"
        ) from error


def _adapter(parameters: list[inspect.Parameter]) -> TypeAdapter[dict[str, object]]:
    """Checks and converts arguments: a stand-in with the function's signature that gives them back."""

    def arguments(**given: object) -> dict[str, object]:
        return given

    arguments.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    arguments.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    # Pydantic takes a function for a type; what it gives for arguments is what the function returns.
    return TypeAdapter(cast("type[dict[str, object]]", arguments))


def _result(tool: Tool, value: object) -> ToolResult:
    """What a function returned, as a result; a result of its own is passed on as it is."""
    if isinstance(value, ToolResult):
        result = bounded(value.model_copy(update={"text": clean(value.text)}))
        own = value.is_error
    else:
        result, own = _made(value), False
    return useless(tool, "was carried out", result.text) if result.is_error and not own else result


def _made(value: object) -> ToolResult:
    if value is None:
        return ToolResult(text="done")
    if isinstance(value, str):
        return bounded(ToolResult(text=clean(value)))
    if isinstance(value, bytes | bytearray | memoryview):
        return failure("the tool gave bytes, and a tool gives text or data; let it write them to a file")
    try:
        data = cleaned(_JSON.validate_python(to_jsonable_python(value)))
    except (PydanticSerializationError, ValidationError, UnicodeDecodeError) as error:
        said = shortened(str(error), 150)
        return failure(
            f"what the tool gave ({type(value).__name__}) is nothing that JSON can hold: {said}; "
            "let it return text, numbers, lists or dicts"
        )
    return bounded(ToolResult(text=json.dumps(data, ensure_ascii=False), data=data))
