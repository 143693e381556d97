"""What a design consists of, as data and as a table."""

from __future__ import annotations

from dataclasses import dataclass

from hwgen.hardware.design import Design, Instance


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
    """

    name: str
    node: str
    module: str
    device: int
    interval_cycles: int
    latency_cycles: int
    constant_bits: int


@dataclass(frozen=True)
class Report:
    """What a design consists of; ``str`` makes a table. Area needs a target device and is not in it."""

    operations: tuple[Operation, ...]

    @property
    def interval_cycles(self) -> int:
        """Cycles per sample of the slowest operator: no simulation can be faster."""
        return max(o.interval_cycles for o in self.operations)

    def __str__(self) -> str:
        head = ("name", "node", "module", "device", "interval", "latency", "constant bits")
        rows = [head, *(tuple(map(str, vars(o).values())) for o in self.operations)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)).rstrip() for r in rows)


def report(design: Design) -> Report:
    """The operators of a design with their modelled cycles and memories, in its order."""
    return Report(tuple(map(_operation, design.instances)))


def _operation(instance: Instance) -> Operation:
    operator = instance.operator
    cycles = operator.cycles()
    images = operator.memory_images(instance.contents)
    stored = sum(image.words.size * image.bits for image in images.values())
    return Operation(
        instance.name, instance.source, operator.module, instance.device, cycles.interval, cycles.latency, stored
    )
