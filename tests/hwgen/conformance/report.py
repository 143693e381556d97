"""The counts of a conformance run, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

HEADER = (
    *("operator", "cases", "simulations", "words compared"),
    *("mismatched", "cycle checks", "failures", "planted faults"),
)


@dataclass
class Report:
    """Sums what conformance tests record: ``conformance`` (Totals as a dict) and ``mutation`` (operator)."""

    counts: dict[str, list[int]] = field(default_factory=dict)
    planted: dict[str, list[int]] = field(default_factory=dict)
    fingerprints: dict[str, list[str]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """No conformance test ran."""
        return not self.counts and not self.planted

    def add(self, key: str, value: Any, passed: bool) -> None:
        """Take in one user property of a test."""
        if key == "mutation":
            detected = self.planted.setdefault(value, [0, 0])
            detected[0] += passed
            detected[1] += 1
        elif key == "conformance":
            self.fingerprints[f"{value['operator']} {value['level']}"] = value["fingerprints"]
            new = [value[k] for k in ("cases", "simulations", "compared_words", "mismatched_words", "cycle_checks")]
            new.append(len(value["failures"]))
            old = self.counts.get(value["operator"], [0] * len(new))
            self.counts[value["operator"]] = [a + b for a, b in zip(old, new, strict=True)]

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The table: header, one row per operator, total."""
        yield HEADER
        names = sorted({*self.counts, *self.planted})
        total, found = [0] * 6, [0, 0]
        for name in names:
            counts, planted = self.counts.get(name, [0] * 6), self.planted.get(name, [0, 0])
            total = [a + b for a, b in zip(total, counts, strict=True)]
            found = [a + b for a, b in zip(found, planted, strict=True)]
            yield _row(name, counts, planted)
        yield _row("total", total, found)

    def lines(self) -> Iterator[str]:
        """The table as aligned text."""
        table = list(self.rows())
        widths = [max(len(row[i]) for row in table) for i in range(len(HEADER))]
        for row in table:
            yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))

    def markdown(self) -> str:
        """The table as a Markdown page."""
        table = list(self.rows())
        body = ["| " + " | ".join(row) + " |" for row in table]
        body.insert(1, "|" + " --- |" * len(HEADER))
        return (
            "# Operator conformance\n\n"
            "Written by `make conformance`. Every case was simulated three times: without stalls, with random\n"
            "stalls and with long stalls of outputs and inputs. `cycle checks` counts cases whose measured latency\n"
            "and interval were compared with the cycle model; `planted faults` are RTL mutations that the comparison\n"
            "detected.\n\n" + "\n".join(body) + "\n"
        )


def _row(name: str, counts: list[int], planted: list[int]) -> tuple[str, ...]:
    return (name, *(f"{count:,}" for count in counts), f"{planted[0]}/{planted[1]}")
