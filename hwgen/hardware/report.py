"""What a design consists of, as data and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwgen.hardware.design import Design, Instance
from hwgen.technology import Resources, Technology


@dataclass(frozen=True)
class Operation:
    """A line of a report: one operator of the design alone, never starved or blocked.

    Attributes:
        name: of the instance.
        node: that it implements; empty for what only moves words.
        module: of the RTL library.
        device: index.
        interval_cycles, latency_cycles: by its cycle model.
        constant_bits: of its memories.
        resources: estimated on the target device; None without one.
    """

    name: str
    node: str
    module: str
    device: int
    interval_cycles: int
    latency_cycles: int
    constant_bits: int
    resources: Resources | None


@dataclass(frozen=True)
class Report:
    """What a design consists of; ``str`` makes a table, with estimated area where there is a target device."""

    operations: tuple[Operation, ...]

    @property
    def interval_cycles(self) -> int:
        """Cycles per sample of the slowest operator: no simulation can be faster."""
        return max(o.interval_cycles for o in self.operations)

    @property
    def resources(self) -> Mapping[int, Resources]:
        """Estimated, by device; empty without a target. Links between devices are in neither."""
        used: dict[int, Resources] = {}
        for o in self.operations:
            if o.resources is not None:
                used[o.device] = used.get(o.device, Resources()) + o.resources
        return used

    def __str__(self) -> str:
        head = ("name", "node", "module", "device", "interval", "latency", "constant bits")
        area = ("LUT", "FF", "DSP", "BRAM") if self.resources else ()
        rows = [(*head, *area), *map(_cells, self.operations)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)).rstrip() for r in rows)


def report(design: Design, technology: Technology | None) -> Report:
    """The operators of a design with their modelled cycles, memories and area, in its order.

    Args:
        design: the design.
        technology: prices the operators; None where no target is given.
    """
    return Report(tuple(_operation(instance, technology) for instance in design.instances))


def _operation(instance: Instance, technology: Technology | None) -> Operation:
    operator = instance.operator
    cycles = operator.cycles()
    images = operator.memory_images(instance.contents)
    return Operation(
        instance.name,
        instance.source,
        operator.module,
        instance.device,
        cycles.interval,
        cycles.latency,
        sum(image.words.size * image.bits for image in images.values()),
        None if technology is None or operator.between_devices else technology.area(operator.bill()),
    )


def _cells(operation: Operation) -> tuple[str, ...]:
    *texts, resources = vars(operation).values()
    area = () if resources is None else (f"{amount:.0f}" for amount in vars(resources).values())
    return (*map(str, texts), *area)
