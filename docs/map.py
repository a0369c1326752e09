"""Draws the rooms of the package and what each stands on, from the code: ``python docs/map.py`` writes docs/map.svg.

The floors are those of the import contract in pyproject.toml. An arrow stands for imports; one that leads
only where a chain of others leads already is left out.
"""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = Path(__file__).with_name("map.svg")
WIDTH, FLOOR, BOX, HEIGHT = 960, 74, 118, 34


def floors() -> list[list[str]]:
    """Rooms from the top floor down, as the contract lists them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(one for one in settings["tool"]["importlinter"]["contracts"] if one["id"] == "rooms")
    return [[room.strip() for room in floor.split("|")] for floor in contract["layers"]]


def stands_on(rooms: set[str]) -> dict[str, set[str]]:
    """For each room the rooms that its modules import from."""
    graph = grimp.build_graph("swarm", include_external_packages=False, cache_dir=None)
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for module in graph.modules:
        room = module.split(".")[1] if "." in module else ""
        for other in graph.find_modules_directly_imported_by(module):
            below = other.split(".")[1] if "." in other else ""
            if room in rooms and below in rooms and below != room:
                found[room].add(below)
    return found


def reduced(edges: dict[str, set[str]]) -> dict[str, set[str]]:
    """The edges without those that a chain of others makes up for."""
    reach: dict[str, set[str]] = {}

    def reached(room: str) -> set[str]:
        if room not in reach:
            reach[room] = edges[room].union(*(reached(below) for below in edges[room]))
        return reach[room]

    return {
        room: {one for one in below if not any(one in reached(other) for other in below - {one})}
        for room, below in edges.items()
    }


def drawn() -> str:
    """The picture as SVG, readable on light and dark pages."""
    plan = floors()
    places = {
        room: (round(WIDTH * (number + 1) / (len(floor) + 1)), 30 + FLOOR * level)
        for level, floor in enumerate(plan)
        for number, room in enumerate(floor)
    }
    edges = reduced(stands_on(set(places)))
    parts = [_arrow(places[room], places[below]) for room in places for below in sorted(edges[room])]
    parts += [_box(room, *place) for room, place in places.items()]
    height = FLOOR * len(plan)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">\n'
        "<title>The rooms of swarm/, and which stands on which</title>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _box(room: str, x: int, y: int) -> str:
    return (
        f'<rect x="{x - BOX // 2}" y="{y - HEIGHT // 2}" width="{BOX}" height="{HEIGHT}" rx="6" '
        'fill="#eef3fb" stroke="#46618f"/>'
        f'<text x="{x}" y="{y + 5}" text-anchor="middle" font-size="15" fill="#1b2a41">{escape(room)}</text>'
    )


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x, y), (to_x, to_y) = start, end
    y, to_y = y + HEIGHT // 2, to_y - HEIGHT // 2
    # Past other floors a curve swings out, so that it does not run through the boxes on them.
    bend = 0 if to_y - y < FLOOR else (40 if to_x <= x else -40) * (1 + (to_y - y) // (3 * FLOOR))
    middle = (y + to_y) // 2
    return (
        f'<path d="M{x} {y} C{x + bend} {middle} {to_x + bend} {middle} {to_x} {to_y}" fill="none" '
        f'stroke="#8a9bb8" stroke-width="1.3"/><circle cx="{to_x}" cy="{to_y}" r="3" fill="#46618f"/>'
    )


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
