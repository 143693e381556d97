"""A family that prices bills of materials: its fabric, and the weights that were fitted to synthesis results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hwgen.technology import ecp5, series7, ultrascale_plus
from hwgen.technology.fabric import Fabric
from hwgen.technology.parts import Part
from hwgen.technology.resources import Resources
from hwgen.technology.terms import Terms

FABRICS: Mapping[str, Fabric] = {
    "ultrascale_plus": ultrascale_plus.FABRIC,
    "series7": series7.FABRIC,
    "ecp5": ecp5.FABRIC,
}


class TechnologyError(ValueError):
    """There is no fitted technology of that name."""


@dataclass(frozen=True)
class Technology:
    """One fitted family.

    Attributes:
        family: its name.
        fabric: its blocks.
        lut, ff: fitted weight of every term of logic.
    """

    family: str
    fabric: Fabric
    lut: Mapping[str, float]
    ff: Mapping[str, float]

    def area(self, bill: Iterable[Part]) -> Resources:
        """What the parts occupy; the error against synthesis is in ``docs/resource_model.md``."""
        terms = self.terms(bill)
        lut, ff = _weigh(terms.lut, self.lut), _weigh(terms.ff, self.ff)
        return Resources(lut, ff, float(terms.dsp), float(terms.bram))

    def terms(self, bill: Iterable[Part]) -> Terms:
        """The logic of the parts before it is weighed."""
        terms = Terms()
        for part in bill:
            part.area(self.fabric, terms)
        return terms


def _weigh(found: Mapping[str, float], weights: Mapping[str, float]) -> float:
    return sum(value * weights[name] for name, value in found.items())


@cache
def technology(family: str) -> Technology:
    """The fitted family of that name.

    Raises:
        TechnologyError: there is none; the message names those that there are.
    """
    if family not in FABRICS:
        raise TechnologyError(f"there is no fitted technology {family!r}; there are {', '.join(FABRICS)}")
    weights = json.loads(weights_file(family).read_text("utf-8"))
    return Technology(family, FABRICS[family], weights["lut"], weights["ff"])


def weights_file(family: str) -> Path:
    """Where the weights of a family are shipped."""
    return Path(__file__).parent / f"{family}.json"
