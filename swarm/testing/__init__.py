"""Doubles that ship with the package: a model that follows a script, in this process or behind HTTP."""

from __future__ import annotations

from swarm.testing.double.faults import Fault, parse_fault
from swarm.testing.double.script import Script
from swarm.testing.double.scripted import ScriptedModel
from swarm.testing.double.served import Received
from swarm.testing.process import ScriptedServer, ServerLog, scripted_server, serving

__all__ = [
    "Fault",
    "Received",
    "Script",
    "ScriptedModel",
    "ScriptedServer",
    "ServerLog",
    "parse_fault",
    "scripted_server",
    "serving",
]
