"""The embedded model server: llama.cpp's own server on loopback, in a process of its own.

Run by ``swarm.models.embedded.server_process``; prints ``{"url": …}`` when the model is loaded and ends when its
standard input does. The only module that imports xllamacpp; it is run by its path, so it imports
nothing of ours.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import json
import os
import signal
import sys
from typing import Any

_PR_SET_PDEATHSIG = 1
"""``prctl(2)``: the signal a process gets when its parent dies."""

BATCH_TOKENS = 256
"""Prompt tokens computed at once; on CPUs larger batches are no faster."""

SAMPLE_TOKENS = 1_024
"""Of the cache, for each sample beyond the slots."""

CACHE_MIB = 1_024
"""Memory for prompts that lost their slot, so that many agents can take turns on one: 28 KiB a token
for the 1.5B model, so some 37,000 tokens."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="embedded_server.py", description=__doc__)
    parser.add_argument("--model", required=True, help="path of a GGUF file")
    parser.add_argument("--name", required=True, help="name to serve it under")
    parser.add_argument("--slots", type=int, default=1, help="requests worked on at once")
    parser.add_argument("--samples", type=int, default=1, help="replies that one request may ask for")
    parser.add_argument("--window", type=int, default=8_192, help="tokens of each slot")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=int, default=CACHE_MIB, help="MiB for prompts that lost their slot")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0 takes a free one")
    return parser.parse_args()


def _die_with_parent() -> None:
    """Asks Linux to kill this process with its parent; elsewhere the end of standard input does it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _parameters(xllamacpp: Any, arguments: argparse.Namespace) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = arguments.model
    parameters.model_alias = {arguments.name}
    # Each sample takes a slot of the server; what they share, the prompt, lies in one cache for all.
    extra = max(arguments.samples - arguments.slots, 0)
    parameters.n_parallel = arguments.slots + extra
    if extra:
        parameters.kv_unified = True
        parameters.kv_unified_per_slot = arguments.window
    parameters.n_ctx = arguments.window * arguments.slots + SAMPLE_TOKENS * extra
    parameters.use_jinja = True
    parameters.cpuparams.n_threads = arguments.threads
    parameters.cpuparams_batch.n_threads = arguments.threads
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = arguments.port
    parameters.endpoint_slots = True
    parameters.ui = False
    parameters.offline = True
    # A client that left is noticed when something is sent, and a batch can't be interrupted:
    # a ping each second and small batches free the slot within seconds, not minutes.
    parameters.sse_ping_interval = 1
    parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
    parameters.cache_ram_mib = arguments.cache
    return parameters


def main() -> None:
    """Serves until standard input ends."""
    arguments = _arguments()
    _die_with_parent()
    # By name, because it is a compiled module without types.
    xllamacpp: Any = importlib.import_module("xllamacpp")
    try:
        server = xllamacpp.Server(_parameters(xllamacpp, arguments))
    except RuntimeError as error:
        sys.exit(f"llama.cpp: {error}")
    sys.stdout.write(json.dumps({"url": server.listening_address}) + "\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    # Closing the server blocks while it works; nothing it holds outlives the process.
    os._exit(0)


if __name__ == "__main__":
    main()
