"""A small SVG canvas. It brings its own background and two palettes, so a figure is readable on any page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

# Class -> declarations in light and in dark.
_COLOURS: Mapping[str, tuple[str, str]] = {
    "page": ("fill:#ffffff;stroke:#d0d7de", "fill:#161b22;stroke:#30363d"),
    "box": ("fill:#f6f8fa;stroke:#8c959f", "fill:#21262d;stroke:#6e7681"),
    "blue": ("fill:#ddf4ff;stroke:#0969da", "fill:#10263f;stroke:#58a6ff"),
    "green": ("fill:#dafbe1;stroke:#1a7f37", "fill:#12301c;stroke:#3fb950"),
    "amber": ("fill:#fff8c5;stroke:#9a6700", "fill:#322608;stroke:#d29922"),
    "red": ("fill:#ffebe9;stroke:#cf222e", "fill:#3a1618;stroke:#f85149"),
    "line": ("fill:none;stroke:#57606a", "fill:none;stroke:#8b949e"),
    "dash": ("fill:none;stroke:#8c959f;stroke-dasharray:4 3", "fill:none;stroke:#6e7681;stroke-dasharray:4 3"),
    "head": ("fill:#57606a", "fill:#8b949e"),
    "dot": ("fill:#afb8c1", "fill:#484f58"),
    "star": ("fill:#0969da", "fill:#58a6ff"),
    "area": ("fill:#0969da;fill-opacity:.10", "fill:#58a6ff;fill-opacity:.15"),
    "ink": ("fill:#1f2328", "fill:#e6edf3"),
    "dim": ("fill:#57606a", "fill:#9da7b3"),
}
_FONT = "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif}"
_ANCHORS = {"left": "start", "middle": "middle", "right": "end"}


class Drawing:
    """A figure of ``width`` by ``height`` units.

    Args:
        width, height: of the view box.
        title: what it shows, for those who cannot see it.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        self._size, self._title, self._parts = (width, height), title, list[str]()

    def box(self, x: float, y: float, w: float, h: float, style: str = "box", lines: Sequence[str] = ()) -> None:
        """A rectangle with centred lines of text: the first one is bold."""
        self._parts.append(
            f'<rect class="{style}" x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{min(5, w / 5):g}"/>'
        )
        top = y + h / 2 - 8 * (len(lines) - 1) + 4.5
        for index, line in enumerate(lines):
            self.text(x + w / 2, top + 16 * index, line, "middle", bold=index == 0, dim=index > 0)

    def text(
        self, x: float, y: float, text: str, anchor: str = "left", *, size: int = 13, bold: bool = False,
        dim: bool = False,
    ) -> None:  # fmt: skip
        """One line of text at its baseline."""
        style = f'class="{"dim" if dim else "ink"}" font-size="{size - (1 if dim else 0)}"'
        weight = ' font-weight="600"' if bold else ""
        where = f'x="{x:g}" y="{y:g}" text-anchor="{_ANCHORS[anchor]}"'
        self._parts.append(f"<text {style}{weight} {where}>{escape(text)}</text>")

    def line(self, points: Sequence[tuple[float, float]], style: str = "line") -> None:
        """A line through points."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._parts.append(f'<polyline class="{style}" stroke-width="1.5" points="{path}"/>')

    def arrow(self, points: Sequence[tuple[float, float]], *, both: bool = False) -> None:
        """A line with a head at its end, or at both ends."""
        self.line(points)
        self._head(points[-2], points[-1])
        if both:
            self._head(points[1], points[0])

    def dot(self, x: float, y: float, style: str, radius: float = 4.5) -> None:
        """A point of a scatter plot."""
        self._parts.append(f'<circle class="{style}" cx="{x:g}" cy="{y:g}" r="{radius:g}"/>')

    def polygon(self, points: Sequence[tuple[float, float]], style: str) -> None:
        """A filled shape."""
        self._parts.append(f'<polygon class="{style}" points="{" ".join(f"{x:g},{y:g}" for x, y in points)}"/>')

    def _head(self, tail: tuple[float, float], tip: tuple[float, float]) -> None:
        dx, dy = tip[0] - tail[0], tip[1] - tail[1]
        length = (dx * dx + dy * dy) ** 0.5
        ux, uy = dx / length, dy / length
        base = (tip[0] - 8 * ux, tip[1] - 8 * uy)
        self.polygon([tip, (base[0] - 4 * uy, base[1] + 4 * ux), (base[0] + 4 * uy, base[1] - 4 * ux)], "head")

    def svg(self) -> str:
        """The file."""
        w, h = self._size
        frame = f'<rect class="page" x="0.5" y="0.5" width="{w - 1}" height="{h - 1}" rx="8"/>'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img">'
        return "\n".join([head, f"<title>{escape(self._title)}</title>", _style(), frame, *self._parts, "</svg>", ""])


def _style() -> str:
    light, dark = ("".join(f".{name}{{{pair[side]}}}" for name, pair in _COLOURS.items()) for side in (0, 1))
    return f"<style>{_FONT}{light}@media(prefers-color-scheme:dark){{{dark}}}</style>"
