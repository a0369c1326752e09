"""How kinds are named in what is printed: those of the closed half by numbers, so that nothing is told of them."""

from __future__ import annotations

from benchmarks.kinds.kind import Half, Kind, kinds_of


def labelled(half: Half | None = None) -> dict[str, Kind]:
    """The kinds of a half, or of both, by label."""
    labels: dict[str, Kind] = {}
    if half != "closed":
        labels.update({kind.name: kind for kind in kinds_of("open")})
    if half != "open":
        labels.update({f"closed-{number:02}": kind for number, kind in enumerate(kinds_of("closed"), 1)})
    return labels
