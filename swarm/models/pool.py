"""The models of a project as one pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from swarm.models.model import Model

Tier = Literal["any", "small", "large"]


@dataclass(frozen=True)
class Member:
    """One model of a pool, and which agents it is for."""

    model: Model
    tier: Tier = "any"
