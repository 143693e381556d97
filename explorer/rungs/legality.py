"""The first rung: whether the candidate is a design at all."""

from __future__ import annotations

from explorer.rungs.rung import Climb, Findings, Rung
from hwgen.errors import IllegalGraph, IllegalParameters


class Legality(Rung):
    """Asks the space, then builds the hardware graph, which every later rung reads."""

    name = "legality"

    def key(self, climb: Climb) -> str | None:
        """None: the graph itself is needed."""
        return None

    def run(self, climb: Climb) -> Findings:
        """No findings, but a reason where there is no legal design."""
        problem = climb.bench.space.contains(climb.candidate)
        if problem is None:
            try:
                assert climb.design
            except (IllegalGraph, IllegalParameters) as error:
                problem = str(error)
        return Findings() if problem is None else Findings(reason=f"no legal design: {problem}")
