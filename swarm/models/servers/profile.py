"""What was measured of a model on its server, kept for the runs after."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from swarm.models.model import Endpoint


class Profile(BaseModel):
    """What a model was seen to do. A field that was not measured is None or empty."""

    model_config = ConfigDict(frozen=True)

    model: str
    url: str
    digest: str = ""
    measured_at: float = 0.0
    """Seconds since 1970."""
    load_seconds: float | None = None
    """The first answer, which loads a model that was not in memory."""
    prefill_tokens_per_second: float | None = None
    """Of one request that was alone."""
    decode_tokens_per_second: dict[int, float] = {}
    """Tokens written in a second, all requests together, by the number of requests at once."""
    slots: int | None = None
    """The most requests that were seen to run beside each other."""
    window: int | None = None
    """Tokens of the longest prompt that was answered whole, as the server counted them."""
    recalls: bool | None = None
    """Whether the answer to that prompt knew what stood at its beginning."""
    follows_schema: bool | None = None
    calls_tools: bool | None = None
    """Whether a turn of ours, one JSON object under a schema, became the right call."""
    calls_own_tools: bool | None = None
    """Whether tools given in the request's own field became a call in the reply's."""


def profile_of(endpoint: Endpoint) -> Profile | None:
    """What was measured of the model behind the endpoint; None when nothing was."""
    try:
        return Profile.model_validate_json(path_of(endpoint).read_bytes())
    except (OSError, ValidationError):
        return None


def measured(endpoint: Endpoint) -> Endpoint:
    """The endpoint with what was seen of it, where its server says something else or nothing.

    Slots not for llama.cpp, whose word is exact and whose slots are asked for by number. A schema that
    was not followed is told in words from then on.
    """
    profile = profile_of(endpoint)
    if profile is None:
        return endpoint
    if profile.follows_schema is False:
        endpoint = endpoint.model_copy(update={"constrains": False})
    if not profile.slots or endpoint.kind == "llamacpp":
        return endpoint
    most_tried = max(profile.decode_tokens_per_second, default=0)
    # Where nobody told the slots and all that were tried ran, there may well be more.
    most = (most_tried, endpoint.slots) if endpoint.slots_guessed else (min(endpoint.slots, most_tried),)
    if profile.slots in most:
        return endpoint
    return endpoint.model_copy(update={"slots": profile.slots, "slots_guessed": False})


def keep(profile: Profile, endpoint: Endpoint) -> Path:
    """Keeps the profile in the place of an earlier one, and gives its file.

    Raises:
        OSError: the folder can't be written.
    """
    path = path_of(endpoint)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(profile.model_dump_json(indent=1), encoding="utf-8")
    draft.replace(path)
    return path


def path_of(endpoint: Endpoint) -> Path:
    """Where the profile of that server, model and digest is kept.

    ``swarm/profiles`` in the user's state folder (XDG Base Directory Specification 0.8). The
    embedded server is the same one on whatever port it listens.
    """
    said = os.environ.get("XDG_STATE_HOME")
    state = Path(said) if said else Path.home() / ".local" / "state"
    where = "embedded" if endpoint.is_embedded else endpoint.url
    key = hashlib.sha256("\0".join((where, endpoint.model, endpoint.digest)).encode()).hexdigest()
    return state / "swarm" / "profiles" / f"{key[:24]}.json"
