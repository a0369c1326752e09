"""The options that commands share, and how a class of options becomes a command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, get_type_hints

import typer

from swarm.errors import ProjectError, quoted, shortened
from swarm.store.shelf.runs import find_run

if TYPE_CHECKING:
    from swarm.nouns.limits import Limits
    from swarm.project.project import Project
    from swarm.run.deadline import PauseAt

RunArgument = Annotated[str, typer.Argument(help="The run: its id, the beginning of it, or last.")]
ProjectOption = Annotated[
    Path | None,
    typer.Option("--project", "-p", metavar="FOLDER", help="The project; the current folder when left out."),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="The model: NAME, KIND/NAME, NAME@URL, embedded:NAME, FILE.gguf or scripted:FILE.py.",
    ),
]
WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", metavar="FOLDER", help="Where the run reads and writes files."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print events on stdout, one JSON object per line.")]

Options = TypeVar("Options")


def path_of(project: Path | None, run: str) -> Path:
    """The file of the run that a person means: an id, the beginning of one, or ``last``.

    Raises:
        ProjectError: there is no such run, or more than one.
    """
    return find_run(folder_of(project), run)


def folder_of(project: Path | None) -> Path:
    """The folder of the project that a person means, the current one where none is named.

    Raises:
        ProjectError: there is no such folder.
    """
    from swarm.project.folders import check_folder, current_folder

    return check_folder(current_folder() if project is None else project, "the project")


def from_options(options: type[Options], command: Callable[[Options], None]) -> Callable[..., None]:
    """A command whose parameters are the fields of ``options``: a commands' many flags, as one value."""
    hints = get_type_hints(options, include_extras=True)
    fields = inspect.signature(options).parameters.values()

    def call(**values: object) -> None:
        command(options(**values))

    parameters = [field.replace(annotation=hints[field.name]) for field in fields]
    call.__doc__ = command.__doc__
    vars(call)["__signature__"] = inspect.Signature(parameters)
    return call


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What every command that runs something takes."""

    project: ProjectOption = None
    model: ModelOption = None
    workspace: WorkspaceOption = None
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Run the plan without asking.")] = False
    json: JsonOption = False
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, metavar="N", help="Tokens the whole run may use.")
    ] = None
    max_calls: Annotated[
        int | None, typer.Option("--max-calls", min=1, metavar="N", help="Model calls the run may make.")
    ] = None
    max_seconds: Annotated[
        float | None,
        typer.Option("--max-seconds", min=0.001, metavar="S", help="Wall-clock the run may take."),
    ] = None
    max_steps: Annotated[
        int | None, typer.Option("--max-steps", min=1, metavar="N", help="Sub-agents the run may start.")
    ] = None
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit", metavar="NAME=N", help="Any limit of swarm.toml's [limits], as tokens=50000."
        ),
    ] = None
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="TIME",
            help="Pause in time for this: 06:30, or 2026-11-23T06:30. Resume later.",
        ),
    ] = None
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="Pause after this long: 90m, 8h, 1h30m.")
    ] = None

    def opened(self) -> Project:
        """The project the options name.

        Raises:
            ProjectError: it cannot be used as it is.
        """
        from swarm.project.project import open_project

        return open_project(self.project, workspace=self.workspace)

    def starts(self) -> PauseAt | None:
        """What to wait for before anything is opened; None to begin now."""
        return None

    def rests(self) -> PauseAt | None:
        """When the run is to be paused; None for never. A duration counts from now.

        Raises:
            ProjectError: it is no time to come, or two are named.
        """
        from swarm.run.deadline import lasting, until

        if self.until and self.lasting:
            raise ProjectError("--until and --for both say when to pause; name one of them")
        if self.lasting:
            return lasting(self.lasting)
        return until(self.until) if self.until else None

    def limits(self) -> Limits:
        """The limits that the options name; the others are not set.

        Raises:
            ProjectError: there is no such limit, or it has no such value.
        """
        given = {
            "tokens": self.max_tokens,
            "model_calls": self.max_calls,
            "seconds": self.max_seconds,
            "steps": self.max_steps,
        }
        named = {name: str(value) for name, value in given.items() if value is not None}
        return limits_of({**named, **dict(split(words) for words in self.limit or ())})


@dataclass(frozen=True, kw_only=True)
class LaterOptions(RunOptions):
    """What a command takes that may begin later."""

    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="Wait until then before anything is opened: 22:00."),
    ] = None

    def starts(self) -> PauseAt | None:
        """What to wait for before anything is opened; None to begin now.

        Raises:
            ProjectError: it is no time to come.
        """
        from swarm.run.deadline import until

        return until(self.at) if self.at else None


def limits_of(named: dict[str, str]) -> Limits:
    """The limits with these values; the others are not set.

    Raises:
        ProjectError: there is no such limit, or it has no such value.
    """
    from pydantic import ValidationError

    from swarm.nouns.limits import Limits

    if unknown := sorted(named.keys() - Limits.model_fields.keys()):
        raise ProjectError(
            f"no limit is called {quoted(unknown[0])}; there are: {', '.join(Limits.model_fields)}"
        )
    try:
        return Limits.model_validate(named)
    except ValidationError as error:
        first = error.errors()[0]
        value = shortened(str(first["input"]))
        raise ProjectError(f"--limit {first['loc'][0]}={value}: {first['msg']}") from error


def split(words: str) -> tuple[str, str]:
    """Name and value of ``NAME=N``; the number may have commas or underscores."""
    name, _, value = words.partition("=")
    return name.strip(), value.strip().replace("_", "").replace(",", "")
