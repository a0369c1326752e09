"""Wrong inputs of every kind a person can give: a folder's files, plans, options, addresses and archives.

Each is small, or just past one of our own limits; none is one that another program fails on.
"""

from __future__ import annotations

import io
import json
import os
import socket
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.mistake_texts import (
    ADDRESSES,
    BYTES,
    CARDS,
    COMMANDS,
    EXPECTS,
    JSON,
    LIMIT_VALUES,
    LIMITS,
    LONG,
    MODELS,
    MOMENTS,
    PYTHON,
    RUN,
    SCRIPTS,
    STEPS,
    TIMES,
    TOML,
    TOOL,
    TOOLS,
    WRITES,
    plan_of,
)
from swarm.nouns.limits import Limits

Prepare = Callable[[Path], None]
CHECK = ("plan", "check", "plan.json")


@dataclass(frozen=True)
class Mistake:
    """A command line and the folder it is given in."""

    name: str
    args: tuple[str, ...]
    prepare: Prepare
    """Makes what is wrong, in an empty folder."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    stdin: bytes = b""


def _nothing(_: Path) -> None:
    pass


def _file(name: str, content: str | bytes) -> Prepare:
    def prepare(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return prepare


def _special(name: str) -> Iterator[tuple[str, Prepare]]:
    """What stands where a file is expected."""

    def place(make: Callable[[Path], object]) -> Prepare:
        def prepare(folder: Path) -> None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            make(path)

        return prepare

    yield "a named pipe", place(os.mkfifo)
    yield "a folder", place(lambda path: path.mkdir())
    yield "a socket", place(_bind)
    yield "a link to a device", place(lambda path: path.symlink_to("/dev/zero"))
    yield "a link to nothing", place(lambda path: path.symlink_to("nowhere"))
    yield "a link to itself", place(lambda path: path.symlink_to(path))


def _bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(path))


def _archive(parts: Mapping[str, bytes], packed: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def _manifest(**changes: object) -> bytes:
    whole: dict[str, object] = {
        "format": 1,
        "schema_version": 4,
        "run": "r",
        "task": "t",
        "digests": {"run.db": "0" * 64},
    }
    return _archive({"manifest.json": json.dumps(whole | changes).encode(), "run.db": b"x"})


def _encrypted() -> bytes:
    """The same with the bit set that says so, in both places."""
    content = bytearray(_manifest())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def _archives() -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "a text", b"a run"
    yield "cut", _manifest()[:-30]
    yield "no parts", _archive({})
    yield "no manifest", _archive({"run.db": b"x"})
    yield "a manifest that is none", _archive({"manifest.json": b"{"})
    yield "a large manifest", _archive({"manifest.json": b" " * 4_000_001})
    yield "packed with bzip2", _archive({"manifest.json": b"{}"}, zipfile.ZIP_BZIP2)
    yield "packed with LZMA", _archive({"manifest.json": b"{}"}, zipfile.ZIP_LZMA)
    yield "encrypted", _encrypted()
    yield "a newer format", _manifest(format=9)
    yield "newer tables", _manifest(schema_version=99)
    yield "an id that is none", _manifest(run="../x")
    yield "a long id", _manifest(run=LONG)
    yield "no digests", _manifest(digests=3)
    yield "a part that is changed", _manifest()
    yield "a part that is not there", _manifest(digests={"run.db": "0" * 64, "files/a": "0" * 64})
    for name in ("../a", "/a", "a\0b", "a" * 300, ".", "a\x1bb"):
        yield (
            f"a file called {name[:8]!r}",
            _manifest(digests={"run.db": "0" * 64, f"files/{name}": "0" * 64}),
        )


TAKEN_OF_SERVERS = ("empty", "a comma too many", "a comment")
"""What ``.mcp.json`` may be, as the clients whose file it is take it."""


def mistakes() -> Iterator[Mistake]:
    """All of them."""
    yield from _in_folders()
    yield from _in_plans()
    yield from _in_commands()
    for name, content in _archives():
        yield Mistake(f"archive: {name}", ("import", "a.swarm", "--files", "out"), _file("a.swarm", content))
    for name, prepare in _special("a.swarm"):
        yield Mistake(f"archive: {name}", ("import", "a.swarm"), prepare)
    yield from _in_runs()


def _in_folders() -> Iterator[Mistake]:
    files: dict[str, dict[str, str]] = {
        "swarm.toml": TOML,
        "agents/clerk.md": CARDS,
        "tools/add.py": {**PYTHON, **TOOLS},
        "mcp_servers/post.py": PYTHON,
        ".mcp.json": {name: text for name, text in JSON.items() if name not in TAKEN_OF_SERVERS},
    }
    for path, contents in files.items():
        # One bad server does not cost the others: whoever wants that one is told.
        command = ("serve", "post") if path == "mcp_servers/post.py" else ("list",)
        for name, text in contents.items():
            yield Mistake(f"{path}: {name}", command, _file(path, text))
        for name, content in BYTES.items():
            yield Mistake(f"{path}: {name}", command, _file(path, content))
        for name, prepare in _special(path):
            yield Mistake(f"{path}: {name}", command, prepare)
    for limit in Limits.model_fields:
        for value in LIMIT_VALUES:
            text = f"[limits]\n{limit} = {value}\n"
            yield Mistake(f"swarm.toml: {limit} = {value}", ("list",), _file("swarm.toml", text))
    for path in (
        "agents/Bad Name.md",
        f"agents/{'a' * 200}.md",
        "tools/__init__.py",
        "tools/files.py",
        "tools/python.py",
        "mcp_servers/9.py",
    ):
        yield Mistake(f"{path[:40]}: its name", ("list",), _file(path, TOOL))
    for url in ADDRESSES:
        text = f"[model]\nurl = {json.dumps(url)}\n"
        yield Mistake(f"swarm.toml: url {url[:20]!r}", RUN, _file("swarm.toml", text))


def _in_plans() -> Iterator[Mistake]:
    texts = {**JSON, **STEPS}
    texts |= {f"expects {name}": plan_of({"expects": schema}) for name, schema in EXPECTS.items()}
    texts |= {f"writes {path[:10]!r}": plan_of({"writes": path}) for path in WRITES}
    for name, text in texts.items():
        yield Mistake(f"plan: {name}", CHECK, _file("plan.json", text))
    for name, content in BYTES.items():
        yield Mistake(f"plan: {name}", CHECK, _file("plan.json", content))
    for name, prepare in _special("plan.json"):
        yield Mistake(f"plan: {name}", CHECK, prepare)


def _in_commands() -> Iterator[Mistake]:
    for args in COMMANDS:
        yield Mistake(f"command: {' '.join(args)[:40]}", args, _nothing)
    yield Mistake("stdin: not UTF-8", ("run", "-"), _nothing, stdin=b"caf\xe9")
    yield Mistake("stdin: empty", ("run", "-"), _nothing)
    for option, values in (
        ("--for", TIMES),
        ("--until", MOMENTS),
        ("--at", MOMENTS),
        ("--limit", LIMITS),
    ):
        for value in values:
            yield Mistake(f"{option} {value[:20]}", (*RUN, f"{option}={value}"), _nothing)
    for url in ADDRESSES:
        yield Mistake(f"--model x@{url[:20]!r}", (*RUN, "-m", f"x@{url}"), _nothing)
        yield Mistake(f"SWARM_API_BASE {url[:20]!r}", RUN, _nothing, {"SWARM_API_BASE": url})
    for name in MODELS:
        yield Mistake(f"--model {name[:20]}", (*RUN, "-m", name), _nothing)
    for name, text in SCRIPTS.items():
        yield Mistake(f"script: {name}", (*RUN, "-m", "scripted:s.py"), _file("s.py", text))


def _in_runs() -> Iterator[Mistake]:
    path = ".swarm/runs/abc.db"
    for command in ("show", "resume", "export", "replay"):
        for name, content in (("empty", b""), ("a text", b"a run"), ("noise", bytes(range(256)) * 64)):
            yield Mistake(f"run's file: {name}, {command}", (command, "abc"), _file(path, content))
        for name, prepare in _special(path):
            yield Mistake(f"run's file: {name}, {command}", (command, "abc"), prepare)
