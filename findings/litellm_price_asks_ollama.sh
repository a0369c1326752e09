#!/usr/bin/env bash
# litellm 1.106.2: giving a price to an Ollama model sends a request.
#
# `litellm.register_model` is the documented way to tell what a model costs, and reads like writing into a
# table. For a model of the provider `ollama_chat` (or `ollama`) whose price is given in full it first looks
# the model up, and that lookup is a POST to `/api/show` of the Ollama server of the environment, in the
# calling thread, through the proxy of the environment where there is one. A model of another
# OpenAI-compatible provider sends nothing. Writing into `litellm.model_cost` sends nothing either.
#
# Output seen:
#   after the import: []
#   register_model of hosted_vllm/mine: []
#   model_cost of ollama_chat/mine: []
#   register_model of ollama_chat/mine: ['POST /api/show']
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "litellm==1.106.2"
cat > "$folder/seen.py" <<'PY'
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

asked: list[str] = []


class Listener(BaseHTTPRequestHandler):
    def answer(self) -> None:
        asked.append(f"{self.command} {self.path}")
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(404)
        self.end_headers()

    do_GET = do_POST = answer

    def log_message(self, *_: object) -> None:
        pass


server = HTTPServer(("127.0.0.1", 0), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["OLLAMA_API_BASE"] = f"http://127.0.0.1:{server.server_port}"
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm


def price(provider: str) -> dict[str, object]:
    return {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0, "mode": "chat", "litellm_provider": provider}


print("after the import:", asked)
litellm.register_model({"hosted_vllm/mine": price("hosted_vllm")})
print("register_model of hosted_vllm/mine:", asked)
litellm.model_cost["ollama_chat/mine"] = price("ollama_chat")
print("model_cost of ollama_chat/mine:", asked)
litellm.model_cost.pop("ollama_chat/mine")
litellm.register_model({"ollama_chat/mine": price("ollama_chat")})
print("register_model of ollama_chat/mine:", asked)
PY
cd "$folder"
"$folder/venv/bin/python" seen.py 2>/dev/null | tee seen.txt
diff seen.txt - <<'SEEN' || { echo "the behaviour has changed"; exit 1; }
after the import: []
register_model of hosted_vllm/mine: []
model_cost of ollama_chat/mine: []
register_model of ollama_chat/mine: ['POST /api/show']
SEEN
