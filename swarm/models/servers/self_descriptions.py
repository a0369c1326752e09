"""What the pages of model servers say of themselves, and the endpoints that follow from it.

Fields are those of the servers' own sources: ``tools/server/README.md`` and ``server-models.cpp`` of
ggml-org/llama.cpp, ``api/types.go`` and ``server/sched.go`` of ollama/ollama, the metrics page and
``serve/instrumentator/server_info.py`` of vllm-project/vllm, ``rest/list.md`` of lmstudio-ai/docs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from pydantic import AliasPath, BaseModel, Field, JsonValue, RootModel

from swarm.models.model import Capability, Endpoint

OLLAMA_WINDOW = 8_192
"""What Ollama is asked to give a model that it has not loaded: its own default may be 4,096, and the
model's largest may not fit the memory."""

UNKNOWN_WINDOW = 4_096
"""Where a server does not say: the smallest default among them (Ollama below 23 GB)."""

VLLM_SLOTS = 64
"""vLLM batches as many requests as fit its memory, 256 by default, and does not say how many."""

STUDIO_SLOTS = 4
"""Max Concurrent Predictions of LM Studio's llama.cpp engine where it was not changed."""

ONE_AT_A_TIME = ("mllama", "qwen3vl", "qwen35", "qwen3next", "lfm2", "nemotron_h")
"""Beginnings of architectures that Ollama gives one slot, whatever ``OLLAMA_NUM_PARALLEL`` says."""


class Props(BaseModel):
    """``/props`` of llama.cpp's server, or of its router, which starts such servers."""

    role: str = ""
    max_instances: int | None = None
    """Models the router holds at once."""
    total_slots: int = 1
    window: int = Field(validation_alias=AliasPath("default_generation_settings", "n_ctx"))
    model_path: str = ""
    chat_template: str = ""
    chat_template_caps: dict[str, JsonValue] = {}
    modalities: dict[str, JsonValue] = {}

    def capabilities(self) -> frozenset[Capability]:
        """What the model can do, by its chat template and its modalities."""
        thinks = "enable_thinking" in self.chat_template or "<think>" in self.chat_template
        return _those({
            "schema": True,
            "grammar": True,
            "tools": self.chat_template_caps.get("supports_tools", "tools" in self.chat_template),
            "thinking": thinks,
            "vision": self.modalities.get("vision"),
        })


class ListedModel(BaseModel):
    """One model of ``/v1/models``."""

    id: str
    max_model_len: int | None = None
    """vLLM's window."""
    root: str | None = None
    """vLLM: the path or repository of the weights."""
    status: str = Field("loaded", validation_alias=AliasPath("status", "value"))
    """Whether llama.cpp's router has it in memory."""
    meta: dict[str, JsonValue] | None = None
    """llama.cpp: the size of the weights, in many fields."""


class ServedList(BaseModel):
    """``/v1/models`` of any OpenAI-compatible server."""

    data: list[ListedModel]


class _Instance(BaseModel):
    id: str
    window: int = Field(validation_alias=AliasPath("config", "context_length"))
    slots: int | None = Field(None, validation_alias=AliasPath("config", "parallel"))


class StudioModel(BaseModel):
    """One model of LM Studio's ``/api/v1/models``."""

    key: str
    type: str = "llm"
    architecture: str | None = None
    size_bytes: int = 0
    format: str | None = None
    max_context_length: int = UNKNOWN_WINDOW
    loaded_instances: list[_Instance]
    capabilities: dict[str, JsonValue] = {}


class StudioList(BaseModel):
    """``/api/v1/models`` of LM Studio 0.4 and later."""

    models: list[StudioModel]


class OldStudioModel(BaseModel):
    """One model of LM Studio's ``/api/v0/models``."""

    id: str
    type: str = "llm"
    arch: str = ""
    quantization: str = ""
    state: str = ""
    max_context_length: int = UNKNOWN_WINDOW
    loaded_context_length: int | None = None
    capabilities: list[str] = []


class OldStudioList(BaseModel):
    """``/api/v0/models`` of LM Studio."""

    data: list[OldStudioModel]


class Tag(BaseModel):
    """A model of Ollama's ``/api/tags`` or ``/api/ps``."""

    name: str
    digest: str = ""
    family: str = Field("", validation_alias=AliasPath("details", "family"))
    remote_host: str = ""
    """Set for a model that Ollama passes on to a cloud: never used unless a person names it."""
    context_length: int | None = None
    """In ``/api/ps``: the window it was loaded with."""


class Tags(BaseModel):
    """``/api/tags`` and ``/api/ps`` of Ollama."""

    models: list[Tag]


class Shown(BaseModel):
    """``/api/show`` of Ollama."""

    capabilities: list[str] = Field(default_factory=lambda: ["completion"])
    model_info: dict[str, JsonValue] = {}
    parameters: str = ""
    """Lines of a name and a value, as the model's file has them."""

    def window(self, default: int) -> int:
        """The window to ask for: the model file's, else that one, and never more than it was made for."""
        sizes = [size for key, size in self.model_info.items() if key.endswith(".context_length")]
        largest = next((size for size in sizes if isinstance(size, int)), UNKNOWN_WINDOW)
        said = re.search(r"^num_ctx\s+(\d+)", self.parameters, re.MULTILINE)
        return min(largest, int(said[1]) if said else default)


class _SlotPage(BaseModel):
    is_processing: bool


class SlotList(RootModel[list[_SlotPage]]):
    """``/slots`` of llama.cpp's server."""


class Templated(BaseModel):
    """``/apply-template`` of llama.cpp's server."""

    prompt: str


class Tokens(BaseModel):
    """``/tokenize`` of llama.cpp's server and of vLLM."""

    tokens: list[JsonValue]


class ServerInfo(BaseModel):
    """``/server_info?config_format=json`` of a vLLM in development mode."""

    slots: int = Field(validation_alias=AliasPath("vllm_config", "scheduler_config", "max_num_seqs"))


def of_llamacpp(url: str, model: ListedModel, props: Props) -> Endpoint:
    """A model of llama.cpp's server, or one that its router has loaded."""
    weights = {key: value for key, value in (model.meta or {}).items() if key in ("size", "n_params")}
    return Endpoint(
        kind="llamacpp",
        model=model.id,
        url=url,
        slots=props.total_slots,
        window=props.window,
        family=family_of(model.id),
        digest=_digest(props.model_path.rpartition("/")[2], props.chat_template, sorted(weights.items())),
        capabilities=props.capabilities(),
        resident=1,
        is_loaded=model.status == "loaded",
    )


def of_vllm(url: str, model: ListedModel, slots: int, resident: int) -> Endpoint:
    """A model of vLLM, which holds all it serves. Whether it parses tool calls, it does not say."""
    return Endpoint(
        kind="vllm",
        model=model.id,
        url=url,
        slots=slots,
        window=model.max_model_len or UNKNOWN_WINDOW,
        family=family_of(model.id),
        digest=_digest(model.root) if model.root else "",
        capabilities=_those({"schema": True, "grammar": True}),
        resident=resident,
    )


def of_openai(url: str, model: ListedModel) -> Endpoint:
    """A model of a server that says nothing of itself."""
    return Endpoint(
        kind="openai",
        model=model.id,
        url=url,
        slots_guessed=True,
        window=UNKNOWN_WINDOW,
        family=family_of(model.id),
    )


def of_studio(url: str, models: StudioList) -> list[Endpoint]:
    """LM Studio's models for chat: each loaded instance, and each that is not loaded."""
    chats = [one for one in models.models if one.type != "embedding"]
    # What was not loaded by hand is evicted before another is loaded, unless a person turned that off.
    resident = max(1, sum(len(one.loaded_instances) for one in chats))
    return [endpoint for one in chats for endpoint in _instances(url, one, resident)]


def _instances(url: str, model: StudioModel, resident: int) -> list[Endpoint]:
    told = model.capabilities
    basis = Endpoint(
        kind="lmstudio",
        model=model.key,
        url=url,
        slots=STUDIO_SLOTS if model.format == "gguf" else 1,
        window=model.max_context_length,
        family=family_of(model.key, model.architecture or ""),
        digest=_digest(model.key, model.size_bytes, model.format),
        capabilities=_those({
            "schema": True,
            "tools": told.get("trained_for_tool_use"),
            "vision": told.get("vision"),
        }),
        resident=resident,
        is_loaded=False,
    )
    loaded = [
        {
            "model": instance.id,
            "slots": instance.slots or basis.slots,
            "slots_guessed": not instance.slots,
            "window": instance.window,
            "is_loaded": True,
        }
        for instance in model.loaded_instances
    ]
    return [basis.model_copy(update=update) for update in loaded or [{}]]


def of_old_studio(url: str, models: OldStudioList) -> list[Endpoint]:
    """The same from LM Studio before 0.4, which worked on one request at a time."""
    chats = [one for one in models.data if one.type in ("llm", "vlm")]
    resident = max(1, sum(one.state == "loaded" for one in chats))
    return [
        Endpoint(
            kind="lmstudio",
            model=one.id,
            url=url,
            window=one.loaded_context_length or one.max_context_length,
            family=family_of(one.id, one.arch),
            digest=_digest(one.id, one.arch, one.quantization),
            capabilities=_those({
                "schema": True,
                "tools": "tool_use" in one.capabilities,
                "vision": one.type == "vlm",
            }),
            resident=resident,
            is_loaded=one.state == "loaded",
        )
        for one in chats
    ]


def of_ollama(url: str, tag: Tag, about: Shown, loaded: Tag | None, env: Mapping[str, str]) -> Endpoint:
    """A model of Ollama; ``env`` is the server's environment, as far as it can be known."""
    told = 1 if tag.family.startswith(ONE_AT_A_TIME) else _number(env, "OLLAMA_NUM_PARALLEL")
    default = _number(env, "OLLAMA_CONTEXT_LENGTH") or OLLAMA_WINDOW
    can = about.capabilities
    return Endpoint(
        kind="ollama",
        model=tag.name,
        url=url,
        slots=told or 1,
        slots_guessed=not told,
        window=(loaded and loaded.context_length) or about.window(default),
        family=family_of(tag.name, tag.family),
        digest=tag.digest,
        capabilities=_those({
            "schema": True,
            "tools": "tools" in can,
            "thinking": "thinking" in can,
            "vision": "vision" in can,
            "embeddings": "embedding" in can,
        }),
        resident=_number(env, "OLLAMA_MAX_LOADED_MODELS"),
        is_loaded=loaded is not None,
    )


def family_of(name: str, architecture: str = "") -> str:
    """The letters that the last part of a model's name begins with, in lower case.

    Not the architecture, where the name has letters: Mistral and SmolLM run as ``llama``.
    """
    last = name.rpartition("/")[2].lower().removeprefix("meta-")
    letters = re.match(r"[a-z]+", last) or re.match(r"[a-z]+", architecture.lower())
    return letters[0] if letters else ""


def fitting_in(metrics: str, window: int) -> int:
    """Requests that fit vLLM's cache at once, by its ``/metrics``.

    Few prompts of agents are longer than 8,192 tokens, so a larger window counts as that.
    """
    sizes = dict(re.findall(r'(num_gpu_blocks|block_size)="(\d+)"', metrics))
    if len(sizes) < 2:
        return VLLM_SLOTS
    tokens = int(sizes["num_gpu_blocks"]) * int(sizes["block_size"])
    return max(1, min(VLLM_SLOTS, tokens // min(window, 8_192)))


def count_in(metrics: str, name: str) -> int:
    """The sum of a gauge over its labels, from a page of Prometheus' text format."""
    values = re.findall(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? ([\d.e+]+)$", metrics, re.MULTILINE)
    return round(sum(float(value) for value in values))


def _number(env: Mapping[str, str], name: str) -> int | None:
    said = env.get(name, "")
    return int(said) or None if said.isdecimal() else None


def _those(capabilities: Mapping[Capability, object]) -> frozenset[Capability]:
    return frozenset(name for name, is_there in capabilities.items() if is_there)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
