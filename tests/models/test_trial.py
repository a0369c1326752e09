"""Trying a model on a clock of its own: what is seen, what is kept, and how the time is shared."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import JsonValue

from swarm.errors import ContextOverflow, MalformedReply, ModelUnavailable
from swarm.models.model import Endpoint
from swarm.models.servers.profile import Profile, keep, measured, path_of, profile_of
from swarm.models.servers.trial import Trial, tried
from swarm.nouns.limits import Usage
from swarm.nouns.messages import Reply, Request
from swarm.testing.http_server import HttpRequest, HttpResponse, json_response, serve

pytestmark = pytest.mark.anyio


class Bench:
    """A model whose server takes its time on a clock of its own; a token is four characters."""

    def __init__(self, slots: int = 4, *, claims: int = 4, window: int = 4_000, reads: float = 1_000) -> None:
        self.endpoint = Endpoint(kind="llamacpp", model="m", slots=claims, window=window, digest="d")
        self.cuts_at = window
        self.is_silent = False
        self.is_garbled = False
        self.now = 0.0
        self._reads = reads
        self._free_at = [0.0] * slots

    async def reply(self, request: Request) -> Reply:
        text = request.messages[0].content
        if self.is_garbled and request.output_schema:
            raise MalformedReply("nothing came", "")
        if len(text) // 4 > self.cuts_at:
            if not self.is_silent:
                raise ContextOverflow("too long")
            text = text[-4 * self.cuts_at :]
        tokens, written = len(text) // 4, min(request.max_tokens, 40)
        prefill = tokens / self._reads
        slot = min(range(len(self._free_at)), key=lambda slot: self._free_at[slot])
        ends_at = max(self.now, self._free_at[slot]) + prefill + written / 20
        self._free_at[slot] = ends_at
        await asyncio.sleep(0)
        self.now = max(self.now, ends_at)
        usage = Usage(prefilled_tokens=tokens, written_tokens=written, prefill_seconds=prefill)
        return Reply(text=_said(text, request.output_schema), usage=usage)


def _said(text: str, schema: dict[str, JsonValue] | None) -> str:
    if schema is None:
        return "Mango" if "MANGO" in text else "I do not know."
    if "anyOf" in schema:
        return json.dumps({"tool": "weather.today", "args": {"city": "Oslo"}})
    return json.dumps({"colour": "green", "balls": 7})


async def trials(bench: Bench, seconds: float = 120.0) -> dict[str, Trial]:
    return {trial.what: trial async for trial in tried(bench, seconds=seconds, clock=lambda: bench.now)}


async def test_a_model_that_does_all_it_claims_has_a_whole_profile() -> None:
    bench = Bench()

    async def handle(request: HttpRequest) -> HttpResponse:
        asked = json.loads(request.body)
        assert (request.path, asked["tools"][0]["function"]["name"]) == ("/v1/chat/completions", "weather")
        call: JsonValue = {"type": "function", "function": {"name": "weather", "arguments": "{}"}}
        return json_response({"choices": [{"message": {"content": None, "tool_calls": [call]}}]})

    async with serve(handle) as url:
        bench.endpoint = bench.endpoint.model_copy(update={"url": url})
        done = await trials(bench)

    whats = [
        "answer",
        "schema",
        "tool",
        "own tools",
        "prefill",
        "1 at once",
        "2 at once",
        "4 at once",
        "window",
    ]
    assert list(done) == whats
    assert not any(trial.is_gap for trial in done.values())
    profile = done["window"].profile
    assert profile.prefill_tokens_per_second == pytest.approx(1_000)
    assert profile.decode_tokens_per_second == pytest.approx({1: 20, 2: 40, 4: 80})
    assert (profile.model, profile.url, profile.digest, profile.slots) == ("m", url, "d", 4)
    assert (profile.follows_schema, profile.calls_tools, profile.calls_own_tools) == (True, True, True)
    assert profile.recalls
    assert 3_400 < (profile.window or 0) < 4_000


async def test_a_server_that_claims_more_slots_than_it_has_is_found_out() -> None:
    done = await trials(Bench(slots=1, claims=8))

    assert done["2 at once"].words.endswith(" tokens/s written, only 1 at a time")
    assert done["2 at once"].is_gap
    assert "4 at once" not in done
    assert done["window"].profile.slots == 1


async def test_a_server_that_says_one_slot_and_has_two_is_found_out_too() -> None:
    done = await trials(Bench(slots=2, claims=1))

    assert done["2 at once"].words == "40.0 tokens/s written, beside each other"
    assert done["window"].profile.slots == 2


@pytest.mark.parametrize(
    ("has", "tried_most", "counts", "is_guessed"), [(1, 2, 1, True), (6, 8, 6, False), (64, 32, 1, True)]
)
async def test_slots_that_nobody_told_are_tried_until_more_bring_nothing(
    has: int,
    tried_most: int,
    counts: int,
    is_guessed: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    bench = Bench(slots=has, claims=1)
    bench.endpoint = bench.endpoint.model_copy(update={"kind": "openai", "slots_guessed": True})

    done = await trials(bench)
    profile = done["window"].profile
    keep(profile, bench.endpoint)
    now = measured(bench.endpoint)

    assert not any(trial.is_gap for trial in done.values())
    assert max(profile.decode_tokens_per_second) == tried_most
    assert (now.slots, now.slots_guessed) == (counts, is_guessed)


async def test_more_than_a_server_promised_may_fail_and_no_more_are_tried() -> None:
    class Strict(Bench):
        at_once = 0

        async def reply(self, request: Request) -> Reply:
            self.at_once += 1
            try:
                if self.at_once > 2:
                    raise ModelUnavailable("full")
                return await super().reply(request)
            finally:
                self.at_once -= 1

    bench = Strict(slots=8, claims=1)
    bench.endpoint = bench.endpoint.model_copy(update={"slots_guessed": True})

    done = await trials(bench)

    assert (done["4 at once"].words, done["4 at once"].is_gap) == ("2 of 4 failed: full", False)
    assert "8 at once" not in done
    assert done["window"].profile.slots == 2


async def test_a_server_that_cuts_long_prompts_in_silence_is_a_gap() -> None:
    bench = Bench()
    bench.cuts_at, bench.is_silent = 2_000, True

    trial = (await trials(bench))["window"]

    assert trial.is_gap
    assert trial.words.startswith("2,000 of 4,000 tokens, and their beginning was not known; ")
    assert trial.words.endswith("were sent, so the server cuts in silence")
    assert (trial.profile.window, trial.profile.recalls) == (2_000, False)


async def test_a_window_that_is_smaller_than_it_is_said_to_be_is_a_gap() -> None:
    bench = Bench()
    bench.cuts_at = 2_000

    trial = (await trials(bench))["window"]

    assert trial.is_gap
    assert trial.words.endswith("of 4,000 tokens do not fit: too long")


async def test_on_a_slow_machine_a_part_of_the_window_is_tried_and_said_to_be() -> None:
    trial = (await trials(Bench(window=8_000, reads=50)))["window"]

    assert trial.words.endswith("; there was time for 1/4 of it only")
    assert 1_600 < (trial.profile.window or 0) < 2_000


async def test_when_the_time_is_over_what_is_left_is_named_and_what_was_seen_is_kept() -> None:
    done = await trials(Bench(reads=50), seconds=6)

    assert done["window"].words == "not tried: the time was over"
    assert done["window"].profile.follows_schema


async def test_a_trial_that_fails_leaves_the_others_alone() -> None:
    bench = Bench()
    bench.is_garbled = True

    done = await trials(bench)

    assert (done["schema"].words, done["schema"].is_gap) == ("failed: nothing came", True)
    assert done["window"].profile.slots == 4
    assert done["window"].profile.follows_schema is None


async def test_a_model_that_answers_nothing_is_an_error() -> None:
    class Dead(Bench):
        async def reply(self, request: Request) -> Reply:
            raise ModelUnavailable("gone")

    with pytest.raises(ModelUnavailable, match="gone"):
        await trials(Dead())


def test_a_profile_is_kept_for_its_server_model_and_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    here = Endpoint(kind="ollama", model="m", url="http://127.0.0.1:1", digest="a")
    profile = Profile(model="m", url=here.url, digest="a", slots=2)

    assert profile_of(here) is None
    keep(profile, here)

    assert profile_of(here) == profile
    assert profile_of(here.model_copy(update={"digest": "b"})) is None
    mine = here.model_copy(update={"is_embedded": True})
    assert path_of(mine) == path_of(mine.model_copy(update={"url": "http://127.0.0.1:2"}))


@pytest.mark.parametrize("follows", [True, False, None])
def test_a_server_seen_to_ignore_schemas_is_told_them_in_words(
    follows: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    endpoint = Endpoint(kind="llamacpp", model="m", url="http://127.0.0.1:1")
    keep(Profile(model="m", url=endpoint.url, follows_schema=follows), endpoint)

    assert measured(endpoint).constrains is (follows is not False)


@pytest.mark.parametrize(
    ("says", "tried_most", "saw", "counts"), [(1, 2, 2, 2), (8, 2, 1, 1), (64, 32, 32, 64), (1, 2, 1, 1)]
)
def test_slots_that_were_seen_count_before_those_a_server_tells_of(
    says: int, tried_most: int, saw: int, counts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    endpoint = Endpoint(kind="openai", model="m", url="http://127.0.0.1:1", slots=says)
    keep(
        Profile(model="m", url=endpoint.url, slots=saw, decode_tokens_per_second={1: 1, tried_most: 1}),
        endpoint,
    )

    assert measured(endpoint).slots == counts
    exact = endpoint.model_copy(update={"kind": "llamacpp"})
    assert measured(exact) == exact
