"""Tries an installed wheel away from its sources: the command, what it ships, and a run that answers.

python -P wheel_smoke.py COMMAND      in an empty folder; COMMAND is the installed `swarm`
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json

def reply(request):
    return json.dumps({"result": "Ana owes most."})
"""
PLAN = {"steps": [{"id": "owes", "agent": "generalist", "brief": "Say who owes most."}]}


def swarm(*args: str) -> str:
    """What the command prints; ends the smoke where it fails."""
    done = subprocess.run([sys.argv[1], *args], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise SystemExit(f"swarm {' '.join(args)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def expect(fact: bool, what: str) -> None:
    """Ends the smoke where a fact does not hold."""
    if not fact:
        raise SystemExit(f"wheel smoke: {what}")
    sys.stdout.write(f"  {what}\n")


def main() -> None:
    """Runs the smoke; exits with 1 and the reason where something is wrong."""
    import swarm as package

    expect("site-packages" in str(package.__file__), "the package is the installed one")
    expect(swarm("--version") == f"swarm {package.__version__}\n", "the version is the package's")
    listed = {tuple(line.split()[:2]) for line in swarm("list").splitlines()}
    shipped = {("agent", "planner"), ("server", "files"), ("server", "database"), ("tool", "results.query")}
    expect(shipped <= listed, "agents, servers and tools are shipped")
    swarm("init", "shop")
    expect("shop/agents/reviewer.md" in swarm("list", "--project", "shop"), "a new project is sound")
    expect("== plan" in swarm("prompts"), "prompts are shipped")
    Path("script.py").write_text(SCRIPT, encoding="utf-8")
    Path("plan.json").write_text(json.dumps(PLAN), encoding="utf-8")
    answer = swarm("plan", "run", "plan.json", "--model", "scripted:script.py")
    expect(answer == "Ana owes most.\n", "a run on a scripted model answers")
    expect(" done " in swarm("runs"), "the run is recorded")


if __name__ == "__main__":
    main()
