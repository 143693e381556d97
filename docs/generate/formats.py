"""``reference/formats.md``: every number format that a plan may name."""

from __future__ import annotations

from docs.generate.markdown import code, line, page, table
from hwgen.numbers.formats import Format
from hwgen.numbers.formats.base import _FAMILIES

_BLOCKS = (16,)
_HEAD = ["plan", "used for", "bits", "exponent bits", "block", "smallest", "largest", "bits with exponents"]


def families() -> list[type[Format]]:
    """Every format class, once each, in the order of their first prefix."""
    kinds = dict.fromkeys(_FAMILIES[prefix] for prefix in sorted(_FAMILIES))
    return [kind for kind in kinds if kind.__module__.startswith("hwgen.")]  # tests define formats of their own


def write() -> str:
    """The page."""
    rows = [
        (
            code(*kind.prefixes),
            code(kind.example),
            _widths(kind),
            line(kind.__doc__),
            code(kind.__module__.replace(".", "/") + ".py"),
        )
        for kind in families()
    ]
    return page(
        "Formats",
        "the classes of `hwgen/numbers/formats`",
        "What they mean, and how one is added: [Number formats](../formats.md). `space.formats`, `weight_bits`, "
        "`activation_bits` and `mx_blocks` of a job choose among them ([HTTP](http.md)).",
        table(["plan text starts with", "example", "bits of an element", "elements and exponents", "code"], rows),
        "## What a plan text becomes",
        "Values are in units of the tensor's scale. A beat also carries the shared exponents.",
        table(_HEAD, [row for kind in families() for text in _examples(kind) for row in _uses(text)]),
    )


def _widths(kind: type[Format]) -> str:
    low, high = kind.widths.start, kind.widths.stop - 1
    return str(low) if low == high else f"{low} to {high}"


def _examples(kind: type[Format]) -> list[str]:
    """Plan texts of the narrowest, a middle and the widest element."""
    bits = sorted({kind.widths.start, kind.widths[len(kind.widths) // 2], kind.widths.stop - 1})
    return list(dict.fromkeys(f.plan_text for width in bits for f in kind.of_width(width, _BLOCKS)))


def _uses(text: str) -> list[tuple[object, ...]]:
    plan = Format.parse(text)
    found = (("weights", plan.for_weights()), ("activations", plan.for_activations(False)))
    return [(code(text), use, *_figures(kind)) for use, kind in found]


def _figures(kind: Format) -> tuple[object, ...]:
    low, high = kind.minimum << kind.max_exponent, kind.maximum << kind.max_exponent
    share = kind.exponent_bits / kind.block if kind.block else 0.0
    return (kind.element_bits, kind.exponent_bits, kind.block or "–", low, high, f"{kind.element_bits + share:g}")
