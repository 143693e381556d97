"""A front and the hypervolume below it."""

from __future__ import annotations

from docs.generate.figures.drawing import Drawing

# LUT (smaller is better) and throughput (larger is better), both from 0 to 1.
POINTS = (
    (0.12, 0.16), (0.2, 0.12), (0.24, 0.42), (0.32, 0.3), (0.4, 0.62), (0.48, 0.34), (0.52, 0.5), (0.6, 0.78),
    (0.66, 0.6), (0.72, 0.7), (0.82, 0.86), (0.88, 0.66), (0.9, 0.84),
)  # fmt: skip
_LEFT, _TOP, _WIDTH, _HEIGHT = 70, 30, 430, 220


def front() -> list[tuple[float, float]]:
    """The points that no other point beats in both figures, by LUT."""
    return sorted(p for p in POINTS if not any(q != p and q[0] <= p[0] and q[1] >= p[1] for q in POINTS))


def draw() -> str:
    """The SVG."""
    d = Drawing(960, 300, "Designs by LUT and throughput: the front, and the hypervolume that it dominates")
    best = front()
    d.polygon([_at(1, 0), _at(best[0][0], 0), *_stairs(best), _at(1, best[-1][1])], "area")
    d.line([_at(0, 1), _at(0, 0), _at(1, 0)])
    d.line([_at(best[0][0], 0), *_stairs(best), _at(1, best[-1][1])], "dash")
    for point in POINTS:
        d.dot(*_at(*point), "star" if point in best else "dot", 6 if point in best else 4.5)
    d.text(_LEFT + _WIDTH / 2, 280, "LUT, estimated: fewer is better", "middle", dim=True)
    d.text(20, 24, "inferences/s: more is better", dim=True)
    _legend(d)
    return d.svg()


def _legend(d: Drawing) -> None:
    rows = (
        ("star", "On the front: no other design is at least as good in every objective and better in one."),
        ("dot", "Dominated: simulated and exact too, but some design beats it."),
        ("area", "Hypervolume: the share of the objectives' range that the front dominates."),
    )
    for index, (style, text) in enumerate(rows):
        y = 80 + 60 * index
        d.dot(545, y - 5, style, 7)
        words = text.split()
        half = (len(words) + 1) // 2
        d.text(565, y, " ".join(words[:half]))
        d.text(565, y + 18, " ".join(words[half:]))


def _stairs(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    path: list[tuple[float, float]] = []
    for point in points:
        if path:
            path.append((_at(*point)[0], path[-1][1]))
        path.append(_at(*point))
    return path


def _at(x: float, y: float) -> tuple[float, float]:
    return _LEFT + x * _WIDTH, _TOP + (1 - y) * _HEIGHT
