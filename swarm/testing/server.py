"""The scripted server: a model server for tests and benchmarks that answers from a script.

    python -m swarm.testing.server --script FILE --kind llamacpp --slots 2 --prefill 500 --decode 20,36
    python -m swarm.testing.server --script FILE --kind ollama --window 4096 --fault 429:2 --fault cut:5%

It speaks as llama.cpp's server, vLLM, LM Studio or Ollama does, prints {"url": …} on standard output
when it listens, ends when a pipe on its standard input does, and shows at /scripted/log what it was
asked and how it served it. A script is a Python file with a function reply(request) that returns
the text of the reply (or a swarm.testing.Fault), and perhaps latency(request) in seconds. Ollama's
face drops the oldest messages of a prompt that is too long; the others refuse it. A fault is met
by every request, or by TIMES of them after the first AFTER, or by a SHARE.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import stat
import sys
from pathlib import Path

from swarm.errors import ProjectError
from swarm.testing.asgi import ScriptedApp
from swarm.testing.double.faults import WIRE_FAULTS, WORD_FAULTS, parse_fault
from swarm.testing.double.scripted import ScriptedModel
from swarm.testing.http_server import serve
from swarm.testing.wire import FaceKind

KINDS: tuple[FaceKind, ...] = ("llamacpp", "vllm", "lmstudio", "ollama")
FAULTS = (*WIRE_FAULTS, *WORD_FAULTS)


def _arguments() -> argparse.Namespace:
    """Beside script, kind and port, the fields of ``ScriptedModel``."""
    parser = argparse.ArgumentParser(
        prog="python -m swarm.testing.server",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--script", type=Path, required=True, help="Python file that defines reply(request)")
    add("--kind", choices=KINDS, default="llamacpp", help="whose protocol to speak")
    add("--slots", type=int, default=8, help="requests worked on at once, by each loaded model")
    add("--queue", type=int, help="requests that may wait; more are refused (default: any number)")
    add("--window", type=int, default=32_768, help="tokens a prompt and its reply may have")
    add(
        "--latency",
        dest="latency_seconds",
        type=float,
        default=0.0,
        help="seconds each reply takes beside the speeds",
    )
    add("--prefill", type=float, default=0.0, help="prompt tokens computed a second; 0 takes no time")
    add(
        "--decode",
        type=_numbers,
        default=0.0,
        help="tokens a slot writes a second; or as 20,36,50 what "
        "all write together when 1, 2, 3 and more work",
    )
    add("--name", default="scripted", help="name of the model it serves")
    add("--models", type=_names, default=(), help="names of several models it serves: a,b,c")
    add("--resident", type=int, default=1, help="models loaded at once")
    add("--load-seconds", type=float, default=0.0, help="seconds that loading a model takes")
    add(
        "--fault",
        dest="faults",
        type=parse_fault,
        action="append",
        default=[],
        metavar="KIND[:TIMES|:SHARE%][+AFTER][@SECONDS]",
        help="what goes wrong; may be given more than once. Kinds: " + ", ".join(FAULTS),
    )
    add("--key", default="", help="what requests must bring as a bearer token; none is wanted without it")
    add("--port", type=int, default=0, help="port on loopback; 0 takes a free one")
    return parser.parse_args()


def _numbers(text: str) -> float | tuple[float, ...]:
    numbers = tuple(float(part) for part in text.split(","))
    return numbers[0] if len(numbers) == 1 else numbers


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


async def _main(arguments: argparse.Namespace) -> None:
    options = vars(arguments)
    kind, port, script = options.pop("kind"), options.pop("port"), options.pop("script")
    key = options.pop("key")
    model = ScriptedModel(script, **options)
    async with serve(ScriptedApp(model, kind, key).handle, port=port) as url:
        sys.stdout.write(json.dumps({"url": url}) + "\n")
        sys.stdout.flush()
        await _parent_gone()


async def _parent_gone() -> None:
    """Returns when standard input, if it is a pipe, has no writer any more; never if it is none."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        await asyncio.Event().wait()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(1_024):
        pass


def main() -> int:
    """Runs the server until its standard input ends; 2 when the script is wrong."""
    try:
        asyncio.run(_main(_arguments()))
    except ProjectError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
