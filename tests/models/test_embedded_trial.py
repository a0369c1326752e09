"""What the embedded server tells of itself, and how the smallest real model does at its trials."""

from __future__ import annotations

from pathlib import Path

import pytest

from swarm.models.client.litellm import LitellmModel
from swarm.models.embedded.server_process import open_embedded
from swarm.models.servers.probe import refreshed
from swarm.models.servers.trial import tried
from swarm.nouns.messages import Message, Request

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

NAME = "smollm2-135m-instruct"


async def test_a_real_model_is_probed_and_tried(model_file: Path) -> None:
    async with (
        open_embedded(model_file, NAME, slots=2, window=1_024) as endpoint,
        LitellmModel(endpoint) as model,
    ):
        again = await refreshed(endpoint)
        await model.reply(Request(messages=(Message(role="user", content="Hello."),), max_tokens=1))
        done = {trial.what: trial async for trial in tried(model, seconds=15)}

    assert (endpoint.family, endpoint.tokenizes, endpoint.resident) == ("smollm", True, 1)
    assert endpoint.capabilities == {"schema", "grammar"}
    assert endpoint.digest
    assert again == endpoint
    assert done["schema"].words.startswith("followed")
    profile = done["window"].profile
    assert profile.follows_schema
    # What a starved machine has no time for is not measured. Whether so small a model knows the
    # beginning of a prompt is luck; that the server took it whole is not.
    assert set(profile.decode_tokens_per_second) <= {1, 2}
    assert profile.window is None or 100 < profile.window <= 1_024
