"""The models of a project as one pool: that of ``[model]`` and those of ``[models.NAME]``."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from swarm.models.choose import open_wish, wish_of, wish_of_table
from swarm.models.embedded.absent import NAME, AbsentModel
from swarm.models.model import Model
from swarm.nouns.card import Tier
from swarm.project.settings import ModelSettings


@dataclass(frozen=True)
class Member:
    """One model of a pool, and which agents it is for."""

    model: Model
    tier: Tier = "any"
    name: str = ""
    """Of its table ``[models.NAME]``."""


def wishes_of(
    name: str | None, model: ModelSettings, models: Mapping[str, ModelSettings]
) -> dict[str, ModelSettings]:
    """The models that are wanted, each by its table ``[models.NAME]``; the main one first.

    A model that is named here, or by ``SWARM_MODEL``, is used alone; it may be the name of a table.

    Raises:
        ProjectError: what was named means nothing.
    """
    alone = name or os.environ.get("SWARM_MODEL")
    if alone and alone in models:
        return {alone: wish_of_table(models[alone])}
    if alone or not models:
        return {"": wish_of(name, model)}
    # Without a table [model] nothing but the others is wanted.
    tables = {**({"": model} if model.model_fields_set else {}), **models}
    return {of: wish_of_table(table) for of, table in tables.items()}


@asynccontextmanager
async def open_pool(
    name: str | None,
    model: ModelSettings,
    models: Mapping[str, ModelSettings],
    tell: Callable[[str], None] | None = None,
) -> AsyncGenerator[list[Member]]:
    """The models to use, for as long as the block lasts; the first is the main one.

    ``tell`` hears of embedded ones that load, die, or do not start again.

    Raises:
        ModelMissing: one was not found.
        ProjectError: what was named does not exist.
        ModelUnavailable: the embedded model did not start.
    """
    if name == NAME:
        yield [Member(AbsentModel())]
        return
    wishes = wishes_of(name, model, models)
    async with AsyncExitStack() as stack:
        yield [
            Member(await stack.enter_async_context(open_wish(wish, tell)), wish.tier, of)
            for of, wish in wishes.items()
        ]
