"""Finding model servers: what listens where, whose protocol it speaks, and what it serves."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Self, TypeVar

import httpx
from pydantic import BaseModel, JsonValue, ValidationError

from swarm.errors import ModelMissing
from swarm.models.model import Endpoint
from swarm.models.servers import self_descriptions as pages
from swarm.models.servers.environment import environment_of
from swarm.models.servers.profile import measured
from swarm.project.secrecy import shown_url

USUAL_PORTS = {"ollama": 11434, "llamacpp": 8080, "vllm": 8000, "lmstudio": 1234}
"""Where the servers listen when nobody told them otherwise, from their documentation."""

CONNECT_SECONDS = 2.0
"""A server on this machine takes a connection by then, however busy; where none listens, the kernel
says so at once, so looking for servers that are not there costs nothing."""

ANSWER_SECONDS = 5.0
"""Only a server that took a connection is waited for this long."""

TELLING = ("/props", "/v1/models", "/api/show")
"""Pages without which a server is taken for another, or its models for none."""


class KeyWanted(ModelMissing):
    """A model server answers, and wants a key that it was not given."""


class ServerSlow(ModelMissing):
    """A model server is there, and loads its model or tells nothing of itself in time."""


_Page = TypeVar("_Page", bound=BaseModel)


async def find_endpoints(key: str = "") -> list[Endpoint]:
    """What the servers on this machine's usual ports serve, loaded models first."""
    urls = [f"http://127.0.0.1:{port}" for port in USUAL_PORTS.values()]
    async with asyncio.TaskGroup() as group:
        probes = [group.create_task(probe_quietly(url, key)) for url in urls]
    return [endpoint for done in probes for endpoint in done.result()]


async def probe_quietly(url: str, key: str = "") -> list[Endpoint]:
    """As ``probe``, of a server that nobody named: that it wants a key or is slow is no fault of the project."""
    try:
        return await probe(url, key)
    except (KeyWanted, ServerSlow):
        return []


async def probe(url: str, key: str = "") -> list[Endpoint]:
    """What the server at that address serves, loaded models first; empty when none answers there.

    ``key`` is sent with each question. Where a profile saw other slots than the server tells of, these
    count.

    Raises:
        KeyWanted: the server answers, and wants another key.
        ServerSlow: it is there, and may tell of itself later.
    """
    slow = ServerSlow(f"the model server at {shown_url(url)} is there and tells nothing of itself")
    try:
        async with asyncio.timeout(2 * ANSWER_SECONDS), Asker(url, key=key) as ask:
            found = await _identify(ask)
            if found and ask.is_slow:  # It became ready between two pages, and was taken for less than it is.
                found = await _identify(ask) or found
            if ask.wants_key(bool(found)):
                raise KeyWanted(_wants(url, key))
            if not found and ask.is_slow:
                raise slow
    except TimeoutError:
        raise slow from None
    found = [endpoint.model_copy(update={"api_key": key}) for endpoint in found] if key else found
    return [measured(endpoint) for endpoint in sorted(found, key=lambda endpoint: not endpoint.is_loaded)]


async def refreshed(endpoint: Endpoint) -> Endpoint:
    """The endpoint as its server describes it now, but for what a person set.

    For when a server was away: it may serve other weights, with other slots and another window. The
    same endpoint where the server does not answer, or no longer names the model.
    """
    for found in await probe_quietly(endpoint.url, endpoint.api_key) if endpoint.url else ():
        if (found.kind, found.model) == (endpoint.kind, endpoint.model):
            kept = {"said", "is_embedded", "streams", "samples", *endpoint.said}
            # What this process started it with; it tells of a slot for each sample.
            kept |= {"slots", "window"} if endpoint.is_embedded else set()
            if "slots" in endpoint.said or not found.is_loaded:
                kept |= {"slots", "slots_guessed"}
            if not found.is_loaded:
                # Little is told of a model before it is loaded, and it is with the window it is asked for with.
                kept |= {"window"} if found.digest else {"window", "digest"}
            return found.model_copy(update={name: getattr(endpoint, name) for name in kept})
    return endpoint


def changes(before: Endpoint, now: Endpoint) -> str:
    """What is another now, in one sentence for a person; empty when all that counts is as it was."""
    found: list[str] = []
    if before.digest and now.digest != before.digest:
        found.append(f"its weights or its template ({before.digest[:12]} → {now.digest[:12]})")
    if now.slots != before.slots:
        found.append(f"its slots ({before.slots} → {now.slots})")
    if now.window != before.window:
        found.append(f"its window ({before.window} → {now.window} tokens)")
    return f"the model {now.model!r} at {now.url} changed: {', '.join(found)}" if found else ""


async def busy(endpoint: Endpoint) -> tuple[int, int] | None:
    """Requests the server works on and requests that wait there now; None where it does not say."""
    async with Asker(endpoint.url, key=endpoint.api_key) as ask:
        if endpoint.kind == "llamacpp" and (slots := await ask.get("/slots", pages.SlotList)):
            return sum(slot.is_processing for slot in slots.root), 0
        if endpoint.kind == "vllm" and (metrics := await ask.text("/metrics")):
            running = pages.count_in(metrics, "vllm:num_requests_running")
            return running, pages.count_in(metrics, "vllm:num_requests_waiting")
    return None


class Asker:
    """Asks one server for its pages; what can't be had or read is None. Close it, or use it as a context."""

    def __init__(self, url: str, seconds: float = ANSWER_SECONDS, *, key: str = "") -> None:
        self.url = url
        self.refused: set[str] = set()
        """Paths of pages that are kept from whoever has not the right key."""
        self.is_slow = False
        """Whether a page did not come in time, or the server said that it is not ready yet."""
        # Proxies are never asked: a model server is reached directly or not at all.
        self._client = httpx.AsyncClient(
            base_url=url,
            trust_env=False,
            verify=url.startswith("https:"),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def wants_key(self, has_found: bool) -> bool:
        """Whether pages that tell what is served are kept back.

        llama.cpp's server gives its list of models to everybody, and one that looks like Ollama's.
        """
        return bool(self.refused) if not has_found else not self.refused.isdisjoint(TELLING)

    async def close(self) -> None:
        """Closes the connections to the server."""
        await self._client.aclose()

    async def get(self, path: str, kind: type[_Page], **query: str) -> _Page | None:
        """The page at that path."""
        return _read(await self._sent("GET", path, params=query), kind)

    async def post(self, path: str, content: JsonValue, kind: type[_Page]) -> _Page | None:
        """What the server gives back for that content."""
        return _read(await self._sent("POST", path, json=content), kind)

    async def text(self, path: str) -> str:
        """The page at that path as it is; empty when it can't be had."""
        return (await self._sent("GET", path)).decode(errors="replace")

    async def _sent(
        self, method: str, path: str, *, params: dict[str, str] | None = None, json: JsonValue = None
    ) -> bytes:
        try:
            response = await self._client.request(method, path, params=params, json=json)
        except (httpx.ReadTimeout, httpx.WriteTimeout):
            self.is_slow = True
            return b""
        except httpx.HTTPError:
            return b""
        self.is_slow |= response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        if response.status_code in (401, 403):
            self.refused.add(path)
        return response.content if response.is_success else b""


def _wants(url: str, key: str) -> str:
    said = "does not take the key that it was given" if key else "wants a key"
    return (
        f"the model server at {shown_url(url)} {said} (HTTP 401); set SWARM_API_KEY beside SWARM_API_BASE or "
        'NAME@URL, or name its variable in swarm.toml: api_key = "${NAME}" beside the url'
    )


def _read(content: bytes, kind: type[_Page]) -> _Page | None:
    try:
        return kind.model_validate_json(content)
    except ValidationError:
        return None


async def _identify(ask: Asker) -> list[Endpoint]:
    """Each kind has a page that no other has; the OpenAI-compatible page is the last resort."""
    async with asyncio.TaskGroup() as group:
        props = group.create_task(ask.get("/props", pages.Props))
        tags = group.create_task(ask.get("/api/tags", pages.Tags))
        studio = group.create_task(ask.get("/api/v1/models", pages.StudioList))
        old_studio = group.create_task(ask.get("/api/v0/models", pages.OldStudioList))
        models = group.create_task(ask.get("/v1/models", pages.ServedList))
    # Some versions of llama.cpp's server had this page of Ollama's, too.
    if (found := tags.result()) is not None and props.result() is None:
        return await _ollama(ask, found)
    if (listed := studio.result()) is not None:
        return pages.of_studio(ask.url, listed)
    if (old := old_studio.result()) is not None:
        return pages.of_old_studio(ask.url, old)
    names = (models.result() or pages.ServedList(data=[])).data
    if (server := props.result()) is not None:
        return await _llamacpp(ask, names, server)
    return await _vllm(ask, names)


async def _llamacpp(ask: Asker, names: list[pages.ListedModel], server: pages.Props) -> list[Endpoint]:
    if server.role != "router":
        has_tokenizer = await _tokenizes(ask, "")
        return [
            pages.of_llamacpp(ask.url, one, server).model_copy(update={"tokenizes": has_tokenizer})
            for one in names
        ]
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_routed(ask, one)) for one in names]
    # The router's own word for any number of them is 0.
    update = {"resident": server.max_instances or None}
    return [task.result().model_copy(update=update) for task in asked]


async def _routed(ask: Asker, model: pages.ListedModel) -> Endpoint:
    """One model of llama.cpp's router, asked about without loading it."""
    if model.status == "loaded":
        props = await ask.get("/props", pages.Props, model=model.id, autoload="false")
        if props is not None:
            return pages.of_llamacpp(ask.url, model, props)
    return Endpoint(
        kind="llamacpp",
        model=model.id,
        url=ask.url,
        window=pages.UNKNOWN_WINDOW,
        family=pages.family_of(model.id),
        is_loaded=False,
    )


async def _vllm(ask: Asker, names: list[pages.ListedModel]) -> list[Endpoint]:
    if all(one.max_model_len is None for one in names):
        return [pages.of_openai(ask.url, one) for one in names]
    async with asyncio.TaskGroup() as group:
        metrics = group.create_task(ask.text("/metrics"))
        info = group.create_task(ask.get("/server_info", pages.ServerInfo, config_format="json"))
        has_tokenizer = group.create_task(_tokenizes(ask, names[0].id))
    told = info.result()
    found: list[Endpoint] = []
    for one in names:
        fitting = pages.fitting_in(metrics.result(), one.max_model_len or pages.UNKNOWN_WINDOW)
        slots = told.slots if told else fitting
        endpoint = pages.of_vllm(ask.url, one, slots, resident=len(names))
        update = {"tokenizes": has_tokenizer.result(), "slots_guessed": told is None}
        found.append(endpoint.model_copy(update=update))
    return found


async def _tokenizes(ask: Asker, model: str) -> bool:
    """Whether ``/tokenize`` is there: llama.cpp takes ``content``, vLLM ``model`` and ``prompt``."""
    text: JsonValue = {"content": "a", "model": model, "prompt": "a"}
    return await ask.post("/tokenize", text, pages.Tokens) is not None


async def _ollama(ask: Asker, tags: pages.Tags) -> list[Endpoint]:
    local = [tag for tag in tags.models if not tag.remote_host]
    async with asyncio.TaskGroup() as group:
        running = group.create_task(ask.get("/api/ps", pages.Tags))
        env = group.create_task(asyncio.to_thread(environment_of, ask.url))
        asked = [group.create_task(ask.post("/api/show", {"model": tag.name}, pages.Shown)) for tag in local]
    loaded = {tag.name: tag for tag in (running.result() or pages.Tags(models=[])).models}
    found: list[Endpoint] = []
    for tag, task in zip(local, asked, strict=True):
        about = task.result() or pages.Shown()
        if "completion" in about.capabilities:
            found.append(pages.of_ollama(ask.url, tag, about, loaded.get(tag.name), env.result()))
    return found
