"""The third rung: accuracy on the user's data, by the integer reference."""

from __future__ import annotations

from explorer.hardware import plan_digest
from explorer.provenance import sources_digest
from explorer.rungs.rung import Climb, Findings, Rung, digest


class Judgement(Rung):
    """Lanes, devices and their wiring change no words, so equal quantization plans share one figure."""

    name = "accuracy"

    def key(self, climb: Climb) -> str | None:
        """The model, the data, the metric, the plan, and the sources that define words and metrics."""
        return digest(climb.bench.judge.identity, plan_digest(climb.candidate.quantization), sources_digest("words"))

    def run(self, climb: Climb) -> Findings:
        """The figure of each judged output beside the float model's, and the worst one."""
        judge = climb.bench.judge
        figures = judge.figures(climb.design)
        return Findings(
            metrics={"accuracy": judge.worst(figures), "float_accuracy": judge.float_accuracy},
            detail={"outputs": judge.detail(figures)},
        )
