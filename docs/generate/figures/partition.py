"""The two ways to use several devices: a pipeline of layers, and shards of one layer."""

from __future__ import annotations

from docs.generate.figures.drawing import Drawing

_CUTS = (
    "Every word that crosses a cut goes over the link.",
    "The link's bandwidth is shared by all of them.",
    "Device numbers never fall along the graph.",
)


def draw() -> str:
    """The SVG."""
    d = Drawing(
        960, 330, "Pipeline partition: layers on a chain of devices. Tensor partition: one layer split over devices"
    )
    _pipeline(d)
    _tensor(d)
    return d.svg()


def _device(d: Drawing, x: float, y: float, w: float, h: float, name: str) -> None:
    d.box(x, y, w, h, "box")
    d.text(x + 10, y + 18, name, dim=True)


def _pipeline(d: Drawing) -> None:
    d.text(20, 32, "pipeline: whole layers, cut by cut", bold=True)
    _device(d, 20, 60, 190, 110, "device 0")
    _device(d, 270, 60, 190, 110, "device 1")
    for x, name in ((32, "conv"), (122, "conv"), (282, "linear"), (372, "linear")):
        d.box(x, 95, 76, 50, "blue", [name])
    d.arrow([(108, 120), (121, 120)])
    d.arrow([(198, 120), (281, 120)])
    d.arrow([(358, 120), (371, 120)])
    d.text(240, 152, "link", "middle", bold=True)
    for index, line in enumerate(_CUTS):
        d.text(20, 205 + 22 * index, line)


def _tensor(d: Drawing) -> None:
    d.text(500, 32, "tensor: slices of one layer side by side", bold=True)
    _device(d, 500, 60, 440, 110, "device 0")
    _device(d, 500, 190, 190, 100, "device 1")
    d.box(512, 95, 66, 50, "blue", ["input"])
    d.box(610, 95, 80, 50, "green", ["linear", "shard 0"])
    d.box(610, 225, 70, 50, "green", ["linear", "shard 1"])
    d.box(760, 95, 76, 50, "amber", ["join"])
    d.box(860, 95, 66, 50, "blue", ["next"])
    d.arrow([(578, 120), (609, 120)])
    d.arrow([(690, 120), (759, 120)])
    d.arrow([(836, 120), (859, 120)])
    d.arrow([(592, 120), (592, 250), (609, 250)])
    d.arrow([(680, 250), (798, 250), (798, 147)])
    d.text(500, 314, "Features or heads are split; the words are those of one device.", size=12)
