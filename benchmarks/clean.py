"""Proves that the code is clean: lint, types, rooms, size limits, and a wheel that works alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.proof import ROOT, Figure, Findings, Proof, prove, python, run

PROOF = Proof(
    name="clean",
    claim="The code passes ruff, mypy strict, pyright strict, its room contracts and its size limits, and the wheel works away from the sources.",
    bar="every check passes",
)

CHECKED = ["swarm", "agents", "tools", "mcp_servers", "examples", "benchmarks", "tests"]

SMOKE = """
import subprocess, sys, swarm
assert swarm.__file__.startswith(sys.argv[1]), swarm.__file__
for command in (["--version"], ["--help"], ["list"]):
    subprocess.run([sys.executable, "-P", "-c", "from swarm.cli.app import main; main()", *command], check=True)
"""


def measure() -> Findings:
    """Each check and how it ended."""
    checks = {
        "ruff check": run(python("-m", "ruff", "check", *_present())),
        "ruff format": run(python("-m", "ruff", "format", "--check", *_present())),
        "mypy strict": run(python("-m", "mypy")),
        **{f"mypy strict, {path.name}": run(python("-m", "mypy", str(path))) for path in _examples()},
        "pyright strict": run(python("-m", "pyright")),
        "pyright strict, examples": run(python("-m", "pyright", "examples")),
        "rooms (import-linter)": run([str(Path(python()[0]).with_name("lint-imports"))]),
        "size limits": run(python("-m", "pytest", "-q", "tests/repository")),
    }
    outcome: dict[str, Figure] = {
        name: "passed" if done.returncode == 0 else "failed" for name, done in checks.items()
    }
    faults = [
        f"{name}: {(done.stdout + done.stderr).strip()[-400:]}"
        for name, done in checks.items()
        if done.returncode
    ]
    problem = _wheel()
    outcome["wheel smoke"] = "failed" if problem else "passed"
    return Findings(outcome, [*faults, *([f"wheel smoke: {problem}"] if problem else [])])


def _present() -> list[str]:
    return [name for name in CHECKED if (ROOT / name).is_dir()]


def _examples() -> list[Path]:
    # mypy takes two files of one name for one module, so each example is checked by itself.
    return sorted(path.parent.relative_to(ROOT) for path in (ROOT / "examples").glob("*/generate.py"))


def _wheel() -> str:
    """What went wrong with building, unpacking and using the wheel; empty when nothing did."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        steps = (
            python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(place / "dist"), str(ROOT)),
            python(
                "-m",
                "pip",
                "install",
                "--no-deps",
                "--no-index",
                "--find-links",
                str(place / "dist"),
                "--target",
                str(place / "site"),
                "sovereign-swarm",
            ),
            ["env", f"PYTHONPATH={place / 'site'}", *python("-P", "-c", SMOKE, str(place / "site"))],
        )
        for step in steps:
            done = run(step, cwd=place)
            if done.returncode:
                return (done.stdout + done.stderr).strip()[-400:]
    return ""


if __name__ == "__main__":
    prove(PROOF, measure)
