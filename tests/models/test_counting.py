"""Counting prompts, and seeing that a server has read less than it was given."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest

from benchmarks.texts import TEXTS
from swarm.errors import ContextTruncated, ModelError
from swarm.models.model import Endpoint, ServerKind
from swarm.models.servers.counting import MARGIN, Counter, estimate
from swarm.nouns.limits import Usage
from swarm.nouns.messages import Message, Request, Role
from swarm.testing import serving
from swarm.testing.double.prefix import common_prefix, tokens_of
from swarm.testing.double.scripted import ScriptedModel, rendered

pytestmark = pytest.mark.anyio

WINDOW = 4_096
ROOM = 512
"""Tokens of the reply."""


@dataclass
class Server:
    """Counts four characters as a token and drops the oldest messages when there is no room."""

    window: int = WINDOW
    forgets: bool = False
    """Whether what was cached is left out of the count, as old Ollama does."""
    cached: str = ""
    calls: int = 0

    async def read(self, messages: tuple[Message, ...]) -> int:
        """The tokens it says it has read."""
        self.calls += 1
        kept = list(messages)
        while len(kept) > 2 and tokens_of(rendered(kept)) > self.window:
            del kept[1]
        prompt = rendered(kept)
        same = common_prefix(self.cached, prompt) if self.forgets else 0
        self.cached = prompt
        return tokens_of(prompt[same:]) if same < len(prompt) else 1


@dataclass
class Talk:
    """A conversation that grows, as an agent's does."""

    chance: random.Random
    kind: str
    messages: list[Message] = field(default_factory=list[Message])

    def __post_init__(self) -> None:
        self.add("system", 900)
        self.add("user", 400)

    def add(self, role: Role, length: int) -> None:
        text = f"{self.chance.random()} {TEXTS[self.kind](self.chance, length)}"
        self.messages.append(Message(role, text))

    def grow(self, most: int) -> Request:
        """The next turn: a call and what it gave, of up to that many characters."""
        self.add("assistant", self.chance.randint(20, 200))
        self.add("user", self.chance.randint(20, most))
        return self.request()

    def request(self) -> Request:
        return Request(messages=tuple(self.messages), max_tokens=ROOM)

    @property
    def tokens(self) -> int:
        return tokens_of(rendered(self.messages))


def counter(kind: ServerKind, window: int = WINDOW) -> Counter:
    return Counter(Endpoint(kind=kind, model="m", url="http://127.0.0.1:9", window=window))


async def ask(counting: Counter, server: Server, request: Request) -> None:
    read = await server.read(request.messages)
    await counting.check(request, Usage(prefilled_tokens=read, written_tokens=9), server.read)


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize("text", TEXTS)
async def test_an_honest_server_is_never_suspected(text: str, forgets: bool) -> None:
    chance = random.Random(text)
    for _ in range(12):
        counting, server = counter("ollama"), Server(forgets=forgets)
        talk = Talk(chance, text)
        while talk.tokens + ROOM <= WINDOW:
            await ask(counting, server, talk.request())
            talk.grow(chance.choice([200, 2_000, 5_000]))


@pytest.mark.parametrize("kind", ["ollama", "lmstudio", "openai"])
@pytest.mark.parametrize("text", TEXTS)
async def test_a_truncated_prompt_is_seen_at_once_also_the_first_of_all(text: str, kind: ServerKind) -> None:
    chance = random.Random(text)
    for round in range(12):
        counting, server = counter(kind), Server()
        talk = Talk(chance, text)
        while talk.tokens <= WINDOW:
            if round % 2 and talk.tokens + ROOM <= WINDOW:
                await ask(counting, server, talk.request())
            talk.grow(chance.choice([100, 2_000, 5_000]))
        with pytest.raises(ContextTruncated, match="dropped the rest without a word"):
            await ask(counting, server, talk.request())
        assert counting.window <= WINDOW


@pytest.mark.parametrize("text", TEXTS)
async def test_a_usual_window_that_is_smaller_than_it_was_said_to_be_is_seen(text: str) -> None:
    chance = random.Random(text)
    for _ in range(6):
        counting, server, talk = counter("openai", 32_768), Server(window=4_096), Talk(chance, text)
        while talk.tokens <= 4_096:
            await ask(counting, server, talk.request())
            talk.grow(2_000)
        with pytest.raises(ContextTruncated, match="window was thought to be 32768"):
            await ask(counting, server, talk.request())


async def test_a_server_of_an_unknown_window_is_asked_to_count_but_once() -> None:
    server, counting = Server(window=32_768), counter("openai", 32_768)
    for seed in range(20):
        talk = Talk(random.Random(seed), "prose")
        while talk.tokens <= 6_000:
            await ask(counting, server, talk.grow(1_000))
    asked = server.calls
    talk = Talk(random.Random(99), "prose")
    turns = 0
    while talk.tokens <= 6_000:
        turns += 1
        await ask(counting, server, talk.grow(1_000))
    assert server.calls - asked == turns


async def test_a_prompt_larger_than_the_window_that_was_read_whole_is_no_fault() -> None:
    counting, server = counter("openai", 1_024), Server(window=32_768)
    talk = Talk(random.Random(1), "prose")
    while talk.tokens <= 3_000:
        talk.grow(2_000)
    await ask(counting, server, talk.request())


async def test_a_reply_that_pushed_its_prompt_out_of_the_window_is_seen() -> None:
    talk = Talk(random.Random(1), "prose")
    while talk.tokens <= 3_500:
        talk.grow(1_000)
    usage = Usage(prefilled_tokens=talk.tokens, written_tokens=900)
    with pytest.raises(ContextTruncated):
        await counter("ollama").check(talk.request(), usage, Server().read)


async def test_a_server_that_will_not_count_is_suspected_only_of_the_impossible() -> None:
    async def refuse(_: tuple[Message, ...]) -> int:
        raise ModelError("no")

    talk = Talk(random.Random(1), "prose")
    while talk.tokens <= 3_000:
        talk.grow(2_000)
    await counter("openai").check(talk.request(), Usage(prefilled_tokens=talk.tokens // 2), refuse)
    with pytest.raises(ContextTruncated):
        await counter("openai").check(talk.request(), Usage(prefilled_tokens=talk.tokens // 4), refuse)


async def test_what_the_server_has_counted_is_known_and_only_what_is_new_is_estimated() -> None:
    counting, talk = counter("llamacpp"), Talk(random.Random(1), "prose")
    first = talk.request()
    assert counting.count(first).margin == pytest.approx(counting.count(first).likely * MARGIN)

    counting.learn(first.messages, 1_000)
    assert (counting.count(first).likely, counting.count(first).margin) == (1_000, 0)

    longer = counting.count(talk.grow(400))
    assert 1_000 < longer.low < longer.likely < 1_400
    shortened = Request(messages=(*first.messages[:1], talk.messages[-1]))
    assert counting.count(shortened).margin > longer.margin


async def test_a_schema_counts_only_where_it_travels_in_the_prompt() -> None:
    plain = Request(messages=(Message(role="user", content="Which?"),))
    typed = replace(plain, output_schema={"type": "object", "properties": {}})
    holds = Counter(Endpoint(kind="ollama", model="m"))
    is_told = Counter(Endpoint(kind="openai", model="m", constrains=False))
    assert holds.count(typed) == holds.count(plain)
    assert is_told.count(typed).likely > is_told.count(plain).likely + 5


async def test_a_server_with_the_tokenizer_counts_exactly_and_others_are_asked_once() -> None:
    talk = Talk(random.Random(1), "code")
    for kind, count in (("llamacpp", talk.tokens), ("vllm", talk.tokens), ("ollama", None)):
        async with serving(ScriptedModel(lambda _: "never"), kind) as url:  # type: ignore[arg-type]
            counting = Counter(Endpoint(kind=kind, model="scripted", url=url))  # type: ignore[arg-type]
            found = await counting.exact(talk.messages)
            await counting.close()
        assert (found is None) == (count is None)
        assert found is None or count is None or abs(found - count) <= len(talk.messages)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The model server has few slots and one prompt cache, so order matters more than width. " * 20, 361),
        ("    if found is None:\n        return [value for value in values if value > 0]\n" * 20, 400),
        ('{"region": "north", "total": 912.5, "day": "2026-03-31"}, ' * 20, 501),
        ("data/2026/notes/report_017_final.md\n" * 20, 240),
        ("模型服务器的插槽数量有限、提示缓存也只有一个、窗口很小。" * 20, 580),
        ("Der Modellserver hat wenige Steckplätze und ein kleines Fenster. " * 20, 361),
    ],
)
def test_an_estimate_is_within_its_margin_of_a_real_tokenizer(text: str, tokens: int) -> None:
    """Tokens as counted by cl100k."""
    assert tokens * (1 - MARGIN) < estimate(text) < tokens * (1 + MARGIN)
