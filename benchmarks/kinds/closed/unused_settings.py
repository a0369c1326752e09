"""Settings that no code reads any more."""

from __future__ import annotations

import random
import re
from pathlib import Path

from benchmarks.kinds.kind import Aim, Commission, Kind, Terms
from benchmarks.kinds.words import some

WORDINGS = (
    "Which settings of {config} are not used anywhere in {folder}? Names only.",
    "{config} has grown over the years. Please tell me which of the settings in it aren't read by any file in {folder} "
    "any more, so that I can delete them. Just the names of the unused ones, please.",
    "Identify all keys of {config} that are not referenced by the source code in {folder}. The reply should name the "
    "unreferenced keys and no others.",
    "cleaning up {config}. which of its settings does nobody use in {folder}? only list those that can go",
)
KEYS = (
    "admin_mail", "backup_hour", "batch_size", "cache_minutes", "currency", "default_tax", "error_page", "export_folder",
    "font_size", "greeting", "invoice_prefix", "label_printer", "login_tries", "logo_file", "max_upload", "night_mode",
    "order_limit", "page_length", "print_copies", "quote_days", "report_day", "session_minutes", "stock_alarm", "time_zone",
)  # fmt: skip
USES = (
    'value = settings["{key}"]',
    'value = settings.get("{key}", 0)',
    "if read_setting('{key}'):\n    pass",
    'for name in ("{key}", "title"):\n    load(name)',
)
CODE = (
    "total = 0",
    "for row in rows:\n    total += row",
    "def load(name):\n    return name",
    "print(total)",
    "names = []",
)
FILES = ["cart", "clients", "export", "login", "mails", "orders", "pages", "reports", "stock", "taxes"]


def make(rng: random.Random) -> Commission:
    keys = some(rng, KEYS, 12, 22)
    unused = sorted(keys[: rng.randint(2, 5)])
    used = [key for key in keys if key not in unused]
    config = rng.choice(("settings.ini", "shop.conf", "app.cfg"))
    lines = ["# one setting a line"]
    for key in rng.sample(keys, len(keys)):
        lines.append(f"{key}{rng.choice((' = ', '='))}{rng.choice(('1', '20', 'yes', 'main', '08:00'))}")
        if rng.random() < 0.2:
            lines.append("")
    parts: dict[str, list[str]] = {name: [] for name in some(rng, FILES, 5, 10)}
    for key in used:
        for name in some(rng, list(parts), 1, 2):
            parts[name].append(rng.choice(USES).format(key=key))
    for key in unused:
        near = rng.choice((f"{key}_old", f"my_{key}", f"{key}s"))
        parts[rng.choice(list(parts))].append(f"{near} = {rng.randint(1, 9)}")
    files = {config: "\n".join(lines) + "\n"}
    for name, codes in parts.items():
        codes += some(rng, CODE, 2, 5)
        rng.shuffle(codes)
        files[f"source/{name}.py"] = "import os\n\n" + "\n".join(codes) + "\n"
    terms = {"config": config, "folder": "source"}
    return Commission(
        rng.choice(WORDINGS).format(**terms),
        files,
        Aim(said=tuple(unused), unsaid=tuple(sorted(used))),
        terms,
    )


def solve(folder: Path, terms: Terms) -> Aim:
    lines = (folder / terms["config"]).read_text(encoding="utf-8").splitlines()
    keys = [line.split("=")[0].strip() for line in lines if line and not line.startswith("#")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in (folder / terms["folder"]).iterdir())
    used = {key for key in keys if re.search(rf"\b{key}\b", code)}
    return Aim(said=tuple(sorted(set(keys) - used)), unsaid=tuple(sorted(used)))


KIND = Kind(make, solve)
