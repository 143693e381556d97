"""The engine's public face: from a model file to measured hardware in a handful of calls, without a service.

Arrays are ``(samples, *shape)`` with ``shape`` that of the source model without its batch axis of size 1, by the source
model's own names. Objects are immutable: every call gives the next one and leaves the last one as it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.errors import NotExact
from hwgen.hardware import design as hardware
from hwgen.hardware.design import run_reference
from hwgen.hardware.platform import Platform
from hwgen.hardware.report import Report, report
from hwgen.hardware.streams import Words
from hwgen.lowering import (
    Calibration,
    Lanes,
    Precision,
    QuantizedGraph,
    QuantizeOptions,
    cut_points,
    lower,
    precision_choices,
    quantize_graph,
)
from hwgen.lowering.fit import Fit
from hwgen.lowering.uniform import DEFAULT_FORMAT, Formats, LaneWish, Placement, devices_of, formats_of, lanes_of
from hwgen.lowering.words import results_of, words_in
from hwgen.model.feeds import tensors_of
from hwgen.model.float_reference import apply_output_layout, evaluate
from hwgen.model.graph import Graph
from hwgen.model.load import import_file
from hwgen.model.software import apply_tail
from hwgen.numbers.arrays import Array
from hwgen.numbers.formats import Format
from hwgen.simulation import simulate as simulation
from hwgen.simulation.build import BuildCache
from hwgen.simulation.bundle import write_bundle
from hwgen.simulation.measurement import Measurement
from hwgen.synthesis.route import Router
from hwgen.synthesis.routed_design import RoutedDesign, route_design
from hwgen.technology import Technology, technology
from hwgen.technology.catalogue import Device, device

DEFAULT_LANES = 16
BUNDLE_SAMPLES = 2  # an interval lies between two samples
LINK_GBPS, LINK_NS, CLOCK_MHZ = 100.0, 500.0, 200.0
_QUIET_CYCLES = 10_000


def load(
    path: str | Path,
    shapes: Mapping[str, Sequence[int]] | None = None,
    freeze: Mapping[str, Any] | None = None,
) -> Model:
    """Read a model file: ONNX, or a saved ``torch.export`` program; its content decides, not its suffix.

    Args:
        path: the file.
        shapes: sizes of open axes: by input name the whole shape, batch axis included. Other inputs stay as they are.
        freeze: inputs that become constants: by input name the value in the input's whole shape, one number for all of
            it, or ``"ones"``, ``"zeros"``, ``"arange"`` (along the last axis).

    Raises:
        ValueError: ``shapes`` or ``freeze`` do not fit the file.
        ModelError: it is refused; ``issues`` lists every offending node, each with what to do.
        OSError: it cannot be read.
    """
    return Model(import_file(Path(path), shapes, freeze).graph)


@dataclass(frozen=True)
class Model:
    """A model that can become hardware.

    Attributes:
        graph: the canonical float graph.
    """

    graph: Graph

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Shape of one sample of each input."""
        return {layout.source: layout.shape for layout in self.graph.inputs}

    @property
    def nodes(self) -> dict[str, str]:
        """The nodes that formats, lanes and devices are chosen for: our name to the source model's."""
        named = {*precision_choices(self.graph), *cut_points(self.graph)}
        return {node.name: node.source for node in self.graph.nodes if node.name in named}

    def evaluate(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the float model.

        Args:
            inputs: of every input, ``(samples, *shape)``.

        Returns:
            Every output of the source model by its name, ``(samples, *shape)``, what stays in software included.

        Raises:
            ValueError: an input is missing, unknown, or of another shape.
        """
        tensors = evaluate(self.graph, tensors_of(self.graph, inputs))
        arrays = [apply_output_layout(output, tensors[output.node]) for output in self.graph.outputs]
        return {result.name: apply_tail(result, arrays[result.index]) for result in self.graph.results}

    def quantize(
        self,
        *,
        calibration: Mapping[str, Array],
        weights: Formats = DEFAULT_FORMAT,
        activations: Formats = DEFAULT_FORMAT,
        options: QuantizeOptions | None = None,
    ) -> Plan:
        """Choose every scale and turn every constant into integers.

        Args:
            calibration: representative inputs, ``(samples, *shape)``; scales are chosen for the values seen here.
            weights: a format (``int4``, ``mxint6b16``) of all weights, or by node of ``nodes``; a node that a mapping
                leaves out has ``int8``.
            activations: the same of what each node makes. Outputs have 16 bits, token ids what they need.
            options: rounding, overflow and the scales of weights; by default half up, saturating, one per channel.

        Raises:
            ValueError: a text is no format, a node is unknown, or an array does not fit its input.
            IllegalParameters: no operator can take these formats.
        """
        choices = precision_choices(self.graph)
        weight = formats_of(weights, [n for n, choice in choices.items() if choice.has_weight], "weights")
        free = [n for n, choice in choices.items() if choice.fixed_activation is None]
        fixed = {n: choice.fixed_activation for n, choice in choices.items() if choice.fixed_activation is not None}
        if not isinstance(activations, str):  # a plan read from a design names the fixed ones too
            activations = {name: text for name, text in activations.items() if fixed.get(name) != text}
        made = formats_of(activations, free, "activations") | fixed
        precisions = {
            name: Precision(Format.parse(weight[name]) if choice.has_weight else None, Format.parse(made[name]))
            for name, choice in choices.items()
        }
        tensors = tensors_of(self.graph, calibration)
        seen = Calibration.collect(self.graph, tensors)
        quantized = quantize_graph(self.graph, precisions, seen, options or QuantizeOptions())
        blocks = {f.block for p in precisions.values() for f in (p.weight, p.activation) if f is not None and f.block}
        few = {name: tensor[:BUNDLE_SAMPLES] for name, tensor in tensors.items()}
        return Plan(quantized, few, tuple(sorted(blocks)))


@dataclass(frozen=True)
class Plan:
    """A model in integers: formats are chosen, hardware is not.

    Attributes:
        quantized: formats and integer constants.
        samples: the first samples of calibration as tensors of the input nodes; bundles carry them.
        blocks: lengths of the shared-exponent blocks in use.
    """

    quantized: QuantizedGraph
    samples: Mapping[str, Array]
    blocks: tuple[int, ...]

    def design(
        self,
        *,
        lanes: LaneWish | None = None,
        devices: Placement = 1,
        target: str | Device | None = None,
        platform: Platform | None = None,
        name: str = "design",
        cache: str | Path | None = None,
    ) -> Design:
        """Build the hardware graph, buffers included.

        Args:
            lanes: the most elements per cycle on either side of each node, which takes the largest legal number up to
                it; or by node of ``Model.nodes`` exactly its lanes ``(in, out)``, where one left out has 1. By default
                16, or with a ``target`` those of the fastest pipeline found that fits it.
            devices: how many, each with an equal share of the multiplications in order of the graph; or by node the
                index of its device, 0 for one left out.
            target: every device, by its name in the catalogue (``lfe5u-85f``) or described; None: without limits.
            platform: devices and channels; by default a chain with 100 Gbit/s and 500 ns between neighbours, in cycles
                of 200 MHz.
            name: of the top module.
            cache: directory of compiled operators; by default ``headrace/operators`` in the XDG cache directory.

        Raises:
            ValueError: an unknown node, or less than one lane, or a number of devices that leaves one without a node;
                an unknown target, or one of a family without a fitted technology.
            Misfit: the lanes given do not fit the target, or no lanes do.
            IllegalParameters: lanes that an operator cannot take.
            IllegalGraph: a placement that the platform cannot connect.
        """
        part = device(target) if isinstance(target, str) else target
        graph = self.quantized.graph
        placed = devices_of(graph, devices)
        count = max(placed.values(), default=0) + 1
        if platform is None:
            names = [f"device{i}" for i in range(count)]
            platform = Platform.connected("chain", names, LINK_GBPS, LINK_NS, CLOCK_MHZ)
        connected = platform

        def build(chosen: Mapping[str, Lanes]) -> hardware.Design:
            return lower(self.quantized, chosen, placed, connected, name)

        prices = None if part is None else technology(part.family)
        built = self._built(lanes, build, part, prices)
        return Design(graph, built, self.samples, default_cache() if cache is None else Path(cache), part)

    def _built(
        self,
        lanes: LaneWish | None,
        build: Callable[[Mapping[str, Lanes]], hardware.Design],
        part: Device | None,
        prices: Technology | None,
    ) -> hardware.Design:
        """The design of the lanes given, or the fastest that fits."""
        if part is None or prices is None:
            return build(lanes_of(self.quantized.graph, DEFAULT_LANES if lanes is None else lanes, self.blocks))
        fit = Fit(self.quantized, self.blocks, prices, part.resources, build)
        if lanes is None:
            return fit.fastest()
        built = build(lanes_of(self.quantized.graph, lanes, self.blocks))
        fit.require(built)
        return built


@dataclass(frozen=True)
class Simulation:
    """What an exact simulation measured.

    Attributes:
        outputs: values that the hardware computed, behind what stays in software, as ``Model.evaluate`` gives them.
        latency_cycles: from the first input beat to the last output beat of the first sample, inclusive.
        interval_cycles: between the ends of the last two samples; None for one sample.
        compared_words: words of all streams that were compared with the integer reference, every one of them equal.
        measured: everything else, by operator and stream.
    """

    outputs: Mapping[str, Array]
    latency_cycles: int
    interval_cycles: int | None
    compared_words: int
    measured: Measurement


@dataclass(frozen=True)
class Design:
    """Hardware: operators wired by streams, ready to be simulated.

    Attributes:
        graph: the float model.
        hardware: the hardware graph.
        samples: tensors of the input nodes that a bundle carries.
        cache: directory of compiled operators and routed designs.
        target: the device that it was made for, every one of several; None: without limits.
    """

    graph: Graph
    hardware: hardware.Design
    samples: Mapping[str, Array]
    cache: Path
    target: Device | None

    def simulate(self, inputs: Mapping[str, Array]) -> Simulation:
        """Simulate the RTL and compare every word of every stream with the integer reference.

        Args:
            inputs: of every input, ``(samples, *shape)``; two samples or more measure an interval.

        Raises:
            NotExact: naming the first wrong word, or what blocks what.
            ToolError: a native tool is missing or failed.
            ValueError: an array does not fit its input.
        """
        words = words_in(self.hardware, tensors_of(self.graph, inputs))
        expected = run_reference(self.hardware, words)
        measured = self._measured(words, expected)
        return Simulation(
            results_of(self.graph, self.hardware, expected),  # equal to the simulated words, or it would have raised
            measured.latency_cycles,
            measured.interval_cycles,
            measured.compared_words + measured.internal_words,
            measured,
        )

    def report(self) -> Report:
        """The operators with their modelled cycles and memories, and on a target their estimated area."""
        return report(self.hardware, None if self.target is None else technology(self.target.family))

    def route(self, seed: int = 1) -> RoutedDesign:
        """Place and route for the target, each of several devices alone: minutes, and at once when it is known.

        Args:
            seed: of the placer; another seed is another measurement.

        Returns:
            Clock, critical path, area, and where the bitstreams lie.

        Raises:
            ValueError: there is no target, or no open tool places and routes for it: those of ECP5 can be.
            Unroutable: it does not fit the part, or cannot be routed there.
            ToolError: a program of the flow is missing or failed; the message says how to get it.
        """
        return route_design(self.hardware, self.target, Router(self.cache), seed)

    def write_bundle(self, path: str | Path, inputs: Mapping[str, Array] | None = None) -> None:
        """Simulate, and write a zip of RTL, memories and vectors whose ``make sim`` repeats the check elsewhere.

        Args:
            path: the zip; replaced at once when complete.
            inputs: as ``simulate`` takes them; by default the first two samples of calibration.

        Raises:
            NotExact, ToolError, ValueError: as ``simulate``.
        """
        tensors = self.samples if inputs is None else tensors_of(self.graph, inputs)
        words = words_in(self.hardware, tensors)
        expected = run_reference(self.hardware, words)
        measured = self._measured(words, expected)
        flow = "" if self.target is None else self.target.open_flow
        parts = dict.fromkeys(self.hardware.devices, flow) if flow else None
        write_bundle(Path(path), self.hardware, words, measured, self._options(), expected, parts=parts)

    def _measured(self, words: Mapping[str, Words], expected: Mapping[str, Words]) -> Measurement:
        measured = simulation.simulate(self.hardware, words, BuildCache(self.cache), self._options(), expected)
        if not measured.exact:
            raise NotExact(measured.deadlock or str(measured.first_wrong or "no word was compared"))
        return measured

    def _options(self) -> simulation.SimulationOptions:
        """A limit of silence that no working design reaches."""
        # No operator is silent for longer than its own interval, nor a link for longer than its flight time.
        slowest = max(max(c.interval, c.latency) for c in (i.operator.cycles() for i in self.hardware.instances))
        return simulation.SimulationOptions(quiet_cycles=_QUIET_CYCLES + 4 * slowest)


def default_cache() -> Path:
    """``headrace/operators`` below ``XDG_CACHE_HOME``, or below ``~/.cache`` where that is not set."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headrace" / "operators"
