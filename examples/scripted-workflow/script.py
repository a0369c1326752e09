"""What the scripted model says to each step of the workflow: turns computed from the prompt."""

from __future__ import annotations

import json
import re

from swarm.nouns.messages import Request

_LETTER = re.compile(r"I bought a ([\w ]+?) from you\.")
_ORDER = re.compile(r"The order number is (\d+)\.")
_SIGNED = re.compile(r"Yours sincerely\n(\w+)")
_REFUND = re.compile(r"^customer (\w+)$", re.MULTILINE)
CASES = "SELECT customer, product, order_number, wish FROM letters WHERE wish <> 'nothing'"
REFUNDS = "SELECT customer FROM cases WHERE wish = 'refund'"


def reply(request: Request) -> str:
    """One JSON object: the row of a letter, the query of a table step, or the answer."""
    asked = request.messages[-1].content
    if (product := _LETTER.search(asked)) and (signed := _SIGNED.search(asked)):
        order = _ORDER.search(asked)
        row = {
            "quote": product[0],
            "customer": signed[1],
            "product": product[1],
            "order_number": order and order[1],
            "wish": _wish(asked),
        }
        return json.dumps({"result": [row]})
    if asked.startswith("Task:"):
        return json.dumps({"result": f"These want a refund: {', '.join(_REFUND.findall(asked))}."})
    sql = REFUNDS if "'refund'" in asked else CASES
    return json.dumps({"tool": "results.query", "args": {"sql": sql}})


def _wish(letter: str) -> str:
    if "Please refund" in letter:
        return "refund"
    return "repair" if "Please repair" in letter else "nothing"
