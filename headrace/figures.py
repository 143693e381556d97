"""Figures as people read them."""

from __future__ import annotations


def short(value: float | None) -> str:
    """A figure in at most about six characters: 812, 12.3k, 4.56M."""
    if value is None:
        return "–"
    magnitude = abs(value)
    for limit, divisor, suffix in ((1e4, 1.0, ""), (1e6, 1e3, "k"), (1e9, 1e6, "M"), (float("inf"), 1e9, "G")):
        if magnitude < limit:
            scaled = value / divisor
            whole = suffix == "" and float(value).is_integer()
            return f"{scaled:.0f}{suffix}" if whole or abs(scaled) >= 100 else f"{scaled:.3g}{suffix}"
    return f"{value:.3g}"
