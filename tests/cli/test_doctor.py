"""What `swarm doctor` says of a machine: each gap with its remedy, and whether anything could run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from swarm.models.profile import Profile

SERVER = """
raise SystemExit("the clock is broken")
"""


def doctor(at: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from swarm.cli.app import main; main()", "doctor", *options],
        cwd=at,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_without_any_model_it_names_the_remedy_and_exits_with_1(tmp_path: Path) -> None:
    done = doctor(tmp_path, SWARM_API_BASE="http://127.0.0.1:9")

    lines = done.stdout.splitlines()
    gap = lines.index("GAP  model     no model server answers at http://127.0.0.1:9")
    assert "start it, or correct the address" in lines[gap + 1]
    assert any(line.startswith("ok   server    files: ") for line in lines)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_server_that_does_not_start_is_a_gap_and_the_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "mcp_servers").mkdir()
    (tmp_path / "mcp_servers" / "clock.py").write_text(SERVER, encoding="utf-8")

    done = doctor(tmp_path, SWARM_MODEL="scripted")

    lines = done.stdout.splitlines()
    assert any(line.startswith("GAP  server    clock: ") for line in lines)
    assert any(line.startswith("ok   server    files: ") for line in lines)
    assert "ok   model     scripted: answers come from a script" in lines
    assert (done.returncode, done.stderr) == (0, "")


def test_each_named_model_is_looked_for_and_a_missing_one_is_a_gap(tmp_path: Path) -> None:
    tables = '[models.quick]\nname = "scripted"\n\n[models.wise]\nname = "big"\nurl = "http://127.0.0.1:9"\n'
    (tmp_path / "swarm.toml").write_text(tables, encoding="utf-8")

    done = doctor(tmp_path)

    lines = done.stdout.splitlines()
    assert "ok   model     [models.quick] scripted" in lines
    gap = next(n for n, line in enumerate(lines) if line.startswith("GAP  model     [models.wise] "))
    assert "correct [models.wise] in swarm.toml" in lines[gap + 1]
    assert done.returncode == 1


def test_a_project_that_cannot_be_read_is_a_gap_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "swarm.toml").write_text("model = 1\n", encoding="utf-8")

    done = doctor(tmp_path)

    assert "swarm.toml" in done.stdout
    assert done.returncode == 1


SCRIPT = """
import json

def reply(request):
    if request.output_schema is None:
        return "Mango, and 1, 2, 3, 4, 5, 6, 7, 8, 9"
    if "anyOf" in request.output_schema:
        return json.dumps({"tool": "weather.today", "args": {"city": "Bergen"}})
    return json.dumps({"colour": "green", "balls": 7})
"""


def test_trying_a_model_says_what_it_does_and_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(SCRIPT, encoding="utf-8")

    done = doctor(tmp_path, "--probe", "scripted:model.py", XDG_STATE_HOME=str(tmp_path / "state"))

    said = {line[5:15].strip(): line for line in done.stdout.splitlines()}
    assert said["schema"] == "ok   schema    followed"
    assert said["tool"].startswith('GAP  tool      not called right: \'{"tool": "weather.today"')
    assert said["1 at once"].endswith(" tokens/s written")
    assert said["window"].endswith("and their beginning was known")
    (kept,) = (tmp_path / "state" / "swarm" / "profiles").iterdir()
    assert f"kept in {kept}" in done.stderr
    assert Profile.model_validate_json(kept.read_bytes()).calls_tools is False
    assert done.returncode == 0


def test_trying_a_model_that_is_not_there_names_the_remedy(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--probe", "x@127.0.0.1:9")

    assert "no model server answers at http://127.0.0.1:9; start it" in done.stderr
    assert done.returncode == 2
