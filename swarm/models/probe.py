"""Finding model servers: what listens where, whose protocol it speaks, and what it serves."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from swarm.models.model import Endpoint

USUAL_PORTS = {"ollama": 11434, "llamacpp": 8080, "vllm": 8000, "lmstudio": 1234}
"""Where the servers listen when nobody told them otherwise, from their documentation."""

CONNECT_SECONDS = 2.0
"""A server on this machine takes a connection by then, however busy; where none listens, the kernel
says so at once, so looking for servers that are not there costs nothing."""

ANSWER_SECONDS = 5.0
"""Only a server that took a connection is waited for this long."""

OLLAMA_WINDOW = 8_192
"""What Ollama is asked to give a model that it has not loaded: its own default may be 4,096, and the
model's largest may not fit the memory."""

UNKNOWN_WINDOW = 4_096
"""Where a server does not say: the smallest default among them (Ollama below 23 GB)."""

VLLM_SLOTS = 64
"""vLLM batches as many requests as fit its memory, 256 by default, and does not say how many."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


_Page = TypeVar("_Page", bound=_Body)


class _Generation(_Body):
    n_ctx: int


class _Props(_Body):
    """``/props`` of llama.cpp's server."""

    total_slots: int
    default_generation_settings: _Generation


class _Model(_Body):
    id: str
    max_model_len: int | None = None
    """vLLM's window."""


class _Models(_Body):
    """``/v1/models`` of any OpenAI-compatible server."""

    data: list[_Model]


class _StudioModel(_Body):
    id: str
    type: str = "llm"
    state: str = ""
    max_context_length: int = UNKNOWN_WINDOW
    loaded_context_length: int | None = None


class _StudioModels(_Body):
    """``/api/v0/models`` of LM Studio."""

    data: list[_StudioModel]


class _Tag(_Body):
    name: str
    remote_host: str = ""
    """Set for a model that Ollama passes on to a cloud: never used unless a person names it."""
    context_length: int | None = None
    """In ``/api/ps``: the window it was loaded with."""


class _Tags(_Body):
    """``/api/tags`` and ``/api/ps`` of Ollama."""

    models: list[_Tag]


class _Shown(_Body):
    """``/api/show`` of Ollama."""

    capabilities: list[str] = Field(default_factory=lambda: ["completion"])
    model_info: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])

    def window(self) -> int:
        """The largest window the model was made for."""
        sizes = [size for key, size in self.model_info.items() if key.endswith(".context_length")]
        return next((size for size in sizes if isinstance(size, int)), UNKNOWN_WINDOW)


async def find_endpoints() -> list[Endpoint]:
    """What the servers on this machine's usual ports serve, loaded models first."""
    urls = [f"http://127.0.0.1:{port}" for port in USUAL_PORTS.values()]
    async with asyncio.TaskGroup() as group:
        probes = [group.create_task(probe(url)) for url in urls]
    return [endpoint for done in probes for endpoint in done.result()]


async def probe(url: str) -> list[Endpoint]:
    """What the server at that address serves, loaded models first; empty when none answers there."""
    # Proxies are never asked: a model server is reached directly or not at all.
    timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    async with httpx.AsyncClient(
        base_url=url, trust_env=False, verify=url.startswith("https:"), timeout=timeout
    ) as client:
        try:
            async with asyncio.timeout(2 * ANSWER_SECONDS):
                return await _identify(_Asker(client, url))
        except TimeoutError:
            return []


class _Asker:
    """Asks one server for its pages; what can't be had or read is None."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self.url = url

    async def get(self, path: str, kind: type[_Page]) -> _Page | None:
        """The page at that path."""
        return await self._read(self._client.build_request("GET", path), kind)

    async def post(self, path: str, content: JsonValue, kind: type[_Page]) -> _Page | None:
        """What the server gives back for that content."""
        return await self._read(self._client.build_request("POST", path, json=content), kind)

    async def _read(self, request: httpx.Request, kind: type[_Page]) -> _Page | None:
        try:
            response = await self._client.send(request)
            return kind.model_validate_json(response.content) if response.is_success else None
        except (httpx.HTTPError, ValidationError):
            return None


async def _identify(ask: _Asker) -> list[Endpoint]:
    """Each kind has a page that no other has; the OpenAI-compatible page is the last resort."""
    async with asyncio.TaskGroup() as group:
        props = group.create_task(ask.get("/props", _Props))
        tags = group.create_task(ask.get("/api/tags", _Tags))
        studio = group.create_task(ask.get("/api/v0/models", _StudioModels))
        models = group.create_task(ask.get("/v1/models", _Models))
    if (found := tags.result()) is not None:
        return await _ollama(ask, found)
    if (listed := studio.result()) is not None:
        return _studio(ask, listed)
    names = (models.result() or _Models(data=[])).data
    if (server := props.result()) is not None:
        return [_llamacpp(ask, one, server) for one in names]
    return [_openai(ask, one) for one in names]


def _llamacpp(ask: _Asker, model: _Model, server: _Props) -> Endpoint:
    window = server.default_generation_settings.n_ctx
    return Endpoint(kind="llamacpp", model=model.id, url=ask.url, slots=server.total_slots, window=window)


def _openai(ask: _Asker, model: _Model) -> Endpoint:
    if model.max_model_len is None:
        return Endpoint(kind="openai", model=model.id, url=ask.url, window=UNKNOWN_WINDOW)
    return Endpoint(kind="vllm", model=model.id, url=ask.url, slots=VLLM_SLOTS, window=model.max_model_len)


def _studio(ask: _Asker, models: _StudioModels) -> list[Endpoint]:
    chats = [one for one in models.data if one.type in ("llm", "vlm")]
    return [
        Endpoint(
            kind="lmstudio",
            model=one.id,
            url=ask.url,
            window=one.loaded_context_length or one.max_context_length,
        )
        for one in sorted(chats, key=lambda one: one.state != "loaded")
    ]


async def _ollama(ask: _Asker, tags: _Tags) -> list[Endpoint]:
    local = [tag.name for tag in tags.models if not tag.remote_host]
    async with asyncio.TaskGroup() as group:
        running = group.create_task(ask.get("/api/ps", _Tags))
        shown = [group.create_task(ask.post("/api/show", {"model": name}, _Shown)) for name in local]
    loaded = {tag.name: tag.context_length for tag in (running.result() or _Tags(models=[])).models}
    endpoints: list[Endpoint] = []
    for name, task in zip(local, shown, strict=True):
        about = task.result() or _Shown()
        if "completion" in about.capabilities:
            window = loaded.get(name) or min(about.window(), OLLAMA_WINDOW)
            endpoints.append(Endpoint(kind="ollama", model=name, url=ask.url, window=window))
    return sorted(endpoints, key=lambda endpoint: endpoint.model not in loaded)
