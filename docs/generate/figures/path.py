"""From a model to a front: the whole path in one picture."""

from __future__ import annotations

from docs.generate.figures.drawing import Drawing
from explorer.rungs.ladder import LADDER


def draw() -> str:
    """The SVG."""
    d = Drawing(
        960, 250, "A model, data and constraints become candidates; each climbs five rungs; the best form a front"
    )
    d.box(20, 60, 150, 110, "box", ["you give", "a trained model", "evaluation data", "devices, constraints"])
    d.box(220, 60, 150, 110, "blue", ["a candidate", "bits per layer", "lanes per layer", "device per layer"])
    d.text(420, 40, "the rungs, cheapest first", bold=True)
    for index, rung in enumerate(LADDER):
        simulated = rung.name == "simulate"
        d.box(412 + 68 * index, 150 - 22 * index, 66, 40 + 22 * index, "green" if simulated else "box", [rung.name])
    d.box(800, 60, 140, 110, "amber", ["the front", "simulated designs,", "every word compared,", "RTL to take away"])
    for start, end in ((170, 218), (370, 408), (752, 798)):
        d.arrow([(start, 115), (end, 115)])
    d.arrow([(581, 192), (581, 218), (295, 218), (295, 172)])
    d.text(440, 236, "what was found, and by how much it fails, is told to the search", "middle", dim=True)
    return d.svg()
