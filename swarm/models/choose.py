"""Which model a run uses: what was named, else what is found, else the one that comes with us."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast, get_args
from urllib.parse import urlsplit

from swarm.errors import ModelMissing, ProjectError, listed, quoted, shortened
from swarm.models.client.litellm import LitellmModel, load_client
from swarm.models.embedded import catalog, shelf
from swarm.models.embedded.server_process import WINDOW, open_embedded
from swarm.models.model import Endpoint, Model, ServerKind
from swarm.models.servers.probe import ServerSlow, find_endpoints, probe
from swarm.project.folders import is_regular, said
from swarm.project.secrecy import shown_url
from swarm.project.settings import ModelSettings
from swarm.schemas import sample

NAMES = "NAME, KIND/NAME, NAME@URL, embedded, embedded:NAME, FILE.gguf, scripted or scripted:FILE.py"
"""The forms a model's name may have, for help texts."""

LONGEST_ADDRESS = 2_000
_HOST = re.compile(r"(?!.*\.\.)[\w.-]*\w\.?|[0-9a-fA-F:.]+(?:%[\w.-]+)?")
"""A name, or an address of IPv4 or IPv6."""
CHOICES = ("SWARM_MODEL", "SWARM_API_BASE", "SWARM_API_KEY")
"""Variables in which a person names a model for this run."""
_VARIABLE = re.compile(r"\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)\}")

PATIENCE_SECONDS = 600.0
"""How long a named server is waited for that is there and tells nothing of itself: it loads a model of many
gigabytes, or its machine is busy. As ``limits.first_token_seconds``."""
PAUSE_SECONDS = 1.0
"""Between two questions to it."""

Tell = Callable[[str], None]

_FOUND: ContextVar[tuple[tuple[ModelSettings, Endpoint], ...]] = ContextVar("found", default=())
"""What ``find`` has found in this context: whoever opens it next need not look again."""


def wish_of(
    name: str | None, settings: ModelSettings, environment: Mapping[str, str] | None = None
) -> ModelSettings:
    """What is wanted: the name given here, else ``SWARM_MODEL`` and ``SWARM_API_BASE``, else the settings.

    A key goes to the address it was given for and nowhere else: ``SWARM_API_KEY`` to one that a person
    named for this run, that of the settings to the settings' own.

    Raises:
        ProjectError: the settings hold a key itself, or name a variable that is not set.
    """
    environment = os.environ if environment is None else environment
    name = name or environment.get("SWARM_MODEL") or settings.name
    url = environment.get("SWARM_API_BASE") or settings.url
    if name and "@" in name:
        written = name
        name, _, url = name.partition("@")
        if not name or not url:
            raise ProjectError(
                f"{quoted(shown_url(written))} is no model: write it as NAME@URL, or as {NAMES}"
            )
    address = _address(url) if url else None
    own = _address(settings.url) if settings.url else None
    if address == own:
        key = _key(settings.api_key, environment) or (
            environment.get("SWARM_API_KEY") if environment.get("SWARM_API_BASE") else None
        )
    else:
        key = environment.get("SWARM_API_KEY")
    return settings.model_copy(update={"name": name or None, "url": address, "api_key": key or None})


def wish_of_table(settings: ModelSettings) -> ModelSettings:
    """What a table ``[models.NAME]`` wants: what names a model for this run is not for it.

    Raises:
        ProjectError: as ``wish_of``.
    """
    environment = {name: value for name, value in os.environ.items() if name not in CHOICES}
    return wish_of(None, settings, environment)


def _key(written: str | None, environment: Mapping[str, str]) -> str | None:
    """The key that a setting names; empty where it names none."""
    if not written:
        return None
    match = _VARIABLE.fullmatch(written.strip())
    if match is None:
        raise ProjectError(
            'swarm.toml: api_key: a key has no place in a file; write api_key = "${NAME}" and set NAME'
        )
    if not (value := environment.get(match[1])):
        raise ProjectError(f"swarm.toml: api_key: ${{{match[1]}}} is not set; set {match[1]}")
    return value


@dataclass(frozen=True)
class _ModelFile:
    """A model file to embed."""

    path: Path
    name: str
    window: int
    """The largest that makes sense."""


def open_model(
    name: str | None, settings: ModelSettings, *, tell: Tell | None = None
) -> AbstractAsyncContextManager[Model]:
    """The model to use, as ``open_wish`` opens it."""
    return open_wish(wish_of(name, settings), tell)


@asynccontextmanager
async def open_wish(wish: ModelSettings, tell: Tell | None = None) -> AsyncGenerator[Model]:
    """The model that is wanted, for as long as the block lasts; ``tell`` hears what takes time.

    Raises:
        ModelMissing: nothing was named, nothing was found, and the embedded model is not there.
        ProjectError: what was named does not exist.
        ModelUnavailable: the embedded model did not start.
    """
    if script := _script(wish):
        yield script
        return
    async with AsyncExitStack() as stack:
        file = _embedded_file(wish)
        endpoint = None if file else await _known(wish, tell)
        file = None if endpoint else file or _default_file()
        loading = asyncio.create_task(load_client())
        stack.push_async_callback(_settled, loading)
        if file is not None:
            endpoint = await stack.enter_async_context(_opened(file, wish, tell))
        assert endpoint is not None
        yield await stack.enter_async_context(LitellmModel(_adjusted(endpoint, wish)))


async def find(wish: ModelSettings, tell: Tell | None = None) -> Endpoint | None:
    """The server that has what is wanted; None where a script or an embedded file does. Nothing is loaded.

    A server that is there and tells nothing yet is waited for where somebody is told of it.

    Raises:
        ModelMissing: no server has it, or its file is not there.
        ProjectError: what was named does not exist.
    """
    if _script(wish) or _embedded_file(wish):
        return None
    found = await _served(wish, tell)
    if found:
        _FOUND.set((*_FOUND.get(), (wish, found)))
    return found and _adjusted(found, wish)


async def _known(wish: ModelSettings, tell: Tell | None) -> Endpoint | None:
    """As ``_served``; what has just been found is taken, once."""
    found = _FOUND.get()
    _FOUND.set(tuple(one for one in found if one[0] != wish))
    known = [endpoint for named, endpoint in found if named == wish]
    return known[-1] if known else await _served(wish, tell)


def _opened(
    file: _ModelFile, wish: ModelSettings, tell: Tell | None
) -> AbstractAsyncContextManager[Endpoint]:
    window = wish.window or min(WINDOW, file.window)
    return open_embedded(file.path, file.name, slots=wish.slots, window=window, tell=tell)


async def _settled(loading: asyncio.Task[None]) -> None:
    """Waits for the import that runs in a thread: it can't be cancelled and must not be left behind."""
    await asyncio.wait([loading])
    # Whoever asks the model meets the same failure; here it only counts as seen.
    loading.exception()


def _script(wish: ModelSettings) -> Model | None:
    """The scripted model, unless a server is named too, which may well call its model so."""
    if wish.name is None or wish.url is not None:
        return None
    kind, _, path = wish.name.partition(":")
    if kind != "scripted":
        return None
    # By name: nothing that serves a user leans on the double.
    scripted: Any = import_module("swarm.testing.double.scripted")
    model: Model = scripted.ScriptedModel(
        Path(path).expanduser() if path else sample.reply,
        slots=wish.slots or 8,
        window=wish.window or 32_768,
    )
    return model


def _embedded_file(wish: ModelSettings) -> _ModelFile | None:
    """The file of the embedded model that was named; None when none was."""
    if wish.name is None or wish.url is not None:
        return None
    if wish.name.endswith(".gguf"):
        path = Path(wish.name).expanduser()
        if not is_regular(path):
            raise ProjectError(f"{said(path)}: no such file; name a GGUF model file, or a model: {NAMES}")
        return _ModelFile(path, path.stem, WINDOW)
    kind, _, name = wish.name.partition(":")
    if kind == "embedded":
        return _pulled(catalog.entry(name or catalog.DEFAULT))
    if any(entry.name == wish.name for entry in catalog.CATALOG):
        return _pulled(catalog.entry(wish.name))
    return None


def _pulled(entry: catalog.PinnedModel) -> _ModelFile:
    if not shelf.is_there(entry):
        what = "is not there; get it with: swarm models pull"
        if shelf.path_of(entry).is_file():
            what = "was not verified; check it with: swarm models verify"
        raise ModelMissing(f"the embedded model {entry.name} {what} {entry.name}")
    return _ModelFile(shelf.path_of(entry), entry.name, entry.window)


def _default_file() -> _ModelFile:
    entry = catalog.entry(catalog.DEFAULT)
    if not shelf.path_of(entry).is_file():
        raise ModelMissing(
            f"no model server was found and no embedded model is there; get one with: swarm models pull {entry.name}"
        )
    return _pulled(entry)


async def _named(url: str, key: str, tell: Tell | None) -> list[Endpoint]:
    """What the server serves at an address that a person named.

    Raises:
        ServerSlow: it is there and told nothing of itself for too long.
    """
    clock = asyncio.get_running_loop().time
    ends_at, is_told = clock() + PATIENCE_SECONDS, False
    while True:
        try:
            return await probe(url, key)
        except ServerSlow as slow:
            if tell is None or clock() > ends_at:
                waited = f" for {PATIENCE_SECONDS:.0f} s" if tell else ""
                raise ServerSlow(f"{slow}{waited}; see its log, or try again when it is ready") from slow
            if not is_told:
                is_told = True
                tell(f"{slow}; it is waited for, up to {PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(PAUSE_SECONDS)


async def _served(wish: ModelSettings, tell: Tell | None = None) -> Endpoint | None:
    """The endpoint that was named, or the best that was found; None when nothing was named or found."""
    key = wish.api_key or ""
    found = await (_named(wish.url, key, tell) if wish.url else find_endpoints(key))
    if wish.url and not found:
        raise ModelMissing(
            f"no model server answers at {shown_url(wish.url)}; start it, or correct the address (swarm.toml, "
            "SWARM_API_BASE or --model NAME@URL)"
        )
    if wish.name is None:
        return found[0] if found else None
    kind, name = _kind_and_name(wish.name)
    for endpoint in found:
        if kind in (None, endpoint.kind) and name in (endpoint.model, endpoint.model.removesuffix(":latest")):
            return endpoint
    known = listed(dict.fromkeys(endpoint.model for endpoint in found)) or "none"
    where = shown_url(wish.url or "") or "the servers of this machine"
    raise ModelMissing(f"no model {quoted(wish.name)} at {where}; there are: {known}. A name may be: {NAMES}")


def _kind_and_name(name: str) -> tuple[ServerKind | None, str]:
    """A server's kind before the first slash, where there is one; names themselves may have slashes."""
    kind, slash, rest = name.partition("/")
    if slash and kind in get_args(ServerKind):
        return cast("ServerKind", kind), rest
    return None, name


def _adjusted(endpoint: Endpoint, wish: ModelSettings) -> Endpoint:
    """The endpoint with the slots and window that a person set, which are taken over what was found."""
    said = {
        "slots": wish.slots,
        "window": wish.window,
        "resident": wish.resident,
        "constrains": wish.constrains,
    }
    update: dict[str, object] = {name: value for name, value in said.items() if value is not None}
    guessed = endpoint.slots_guessed and not wish.slots
    return endpoint.model_copy(
        update=update | {"slots_guessed": guessed, "streams": wish.stream, "said": frozenset(update)}
    )


def _address(url: str) -> str:
    """The base address of a server, however it was written.

    Raises:
        ProjectError: it is none.
    """
    whole = url if "://" in url else f"http://{url}"
    if wrong := _wrong_address(whole):
        raise ProjectError(
            f"{quoted(shown_url(url))} is no address of a model server ({wrong}); write it as http://127.0.0.1:8080 "
            "(--model NAME@URL, SWARM_API_BASE or [model] url)"
        )
    return whole.rstrip("/").removesuffix("/v1").rstrip("/")


def _wrong_address(url: str) -> str:
    """Why nothing can be reached at that address; empty where something can."""
    if len(url) > LONGEST_ADDRESS:
        return f"longer than {LONGEST_ADDRESS:,} characters"
    if not url.isprintable() or " " in url:
        return "it holds a blank, a line break or a control character"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return shortened(str(error))
    if parts.scheme not in ("http", "https"):
        return "it begins with neither http:// nor https://"
    if not parts.hostname or not _HOST.fullmatch(parts.hostname):
        return "it names no host"
    return "port 0 is none" if port == 0 else ""
