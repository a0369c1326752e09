"""Steps that programs do, without a fault: candidates that read by readers and tools, and leave files of each kind."""

from __future__ import annotations

import json
import re
from pathlib import Path

from benchmarks.turns import result_turn
from swarm import Plan, Step
from swarm.nouns.messages import Request

TASK = "Collect what was spent."
SPENT = {"ann": 3, "bob": 4, "cid": 5, "dan": 7}
CARD = """---
description: writes programs
works: program
tools: [desk]
---
You write a program.
"""
DESK = '''from pathlib import Path

from swarm import tool


@tool(effect="pure")
def look(name: str) -> str:
    """The full name of a person."""
    return name.title()


@tool(effect="idempotent")
def note(name: str, text: str) -> str:
    """Notes something on the desk."""
    (Path(__file__).parent.parent / "desk" / name).write_text(text, encoding="utf-8")
    return "noted"
'''
SETTINGS = """[workspace]
path = "data"

[servers.files]
enabled = false

[servers.database]
enabled = false
"""
PLAN = Plan(
    steps=(
        Step(id="collect", agent="programmer", brief="Collect the amounts."),
        Step(id="report", agent="programmer", brief="Report the sums.", needs=("collect",)),
    )
)
COLLECT = """
names = files("notes/*.txt")
found = extract([read(name) for name in names], "name, amount:number")
rows = [{"name": tool("desk.look", name=row["name"]), "amount": row["amount"]} for rows in found for row in rows]
save("out/rows.csv", rows)
for row in rows:
    save(f"out/people/{row['name']}.json", row)
save("list.txt", read("list.txt") + "collected\\n")
if "old.txt" in files():
    remove("old.txt")
answer(rows)
"""
REPORT = """
total = sum(row["amount"] for row in collect)
save("report.md", f"In all {total:g}")
save("list.txt", read("list.txt") + "reported\\n")
tool("desk.note", name="total.txt", text=str(total))
answer(f"In all {total:g}")
"""
WRONG = ("answer(1 / 0)", 'save("out/rows.csv", [{"name": "x", "amount": 1}])\nanswer("x")')
ANSWER = "In all 19"


def write_workspace(folder: Path) -> None:
    """What the programs work on."""
    (folder / "notes").mkdir(parents=True)
    for name, amount in SPENT.items():
        (folder / "notes" / f"{name}.txt").write_text(f"{name} spent {amount}.\n", encoding="utf-8")
    (folder / "list.txt").write_text("begun\n", encoding="utf-8")
    (folder / "old.txt").write_text("old\n", encoding="utf-8")


def files_at_end() -> dict[str, str]:
    """What must lie in the workspace in the end, but for what somebody else put there."""
    rows = "".join(f"{name.title()},{amount}\n" for name, amount in SPENT.items())
    people = {
        f"out/people/{name.title()}.json": json.dumps({"name": name.title(), "amount": amount}, indent=2)
        + "\n"
        for name, amount in SPENT.items()
    }
    notes = {f"notes/{name}.txt": f"{name} spent {amount}.\n" for name, amount in SPENT.items()}
    return {
        "list.txt": "begun\ncollected\nreported\n",
        "out/rows.csv": f"name,amount\n{rows}",
        "report.md": f"{ANSWER}\n",
        **people,
        **notes,
    }


def reply(request: Request) -> str:
    """A program, of which the second is wrong; or what a reader finds."""
    last = request.messages[-1].content
    said = "\n".join(message.content for message in request.messages)
    spent = re.search(r"(\w+) spent (\d+)\.", said)
    if "sql(query)" not in said:
        assert spent, said[-500:]
        return result_turn([{"quote": spent[0], "name": spent[1], "amount": int(spent[2])}])
    if request.seed == 2 and "Report the sums" not in last:
        return WRONG[len(last) % len(WRONG)]
    return f"```python{REPORT if 'Report the sums' in last else COLLECT}```"
