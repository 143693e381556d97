"""The long-lived evaluator child: ``python -m workers.evaluator_main``, one JSON request a line, one answer a line.

Requests name an ``op`` (``evaluate``, ``sign_off``, ``routing``, ``export`` or ``activity``) and where everything is;
evaluators of recent jobs stay loaded. Answers are {"result": …}, or {"fault": text, "outage": name or null} when there
is none: with an outage the fault is the machine's, without it is the evaluation's. {"stage": name} lines come before.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from explorer.candidate import Candidate
from explorer.result import TrialResult
from explorer.spec import JobSpec
from workers.outage import outage

_KEPT_EVALUATORS = 3


class Server:
    """Answers requests with the evaluator class that ``module:Class`` names."""

    def __init__(self, evaluator: str, answers: IO[str]) -> None:
        module, _, name = evaluator.partition(":")
        self._make: Callable[..., Any] = getattr(importlib.import_module(module), name)
        self._answers = answers
        self._evaluators: OrderedDict[str, Any] = OrderedDict()

    def serve(self, requests: IO[str]) -> None:
        """Answer until the requests end."""
        for line in requests:
            request = json.loads(line)
            try:
                answer = {"result": self._answer(request)}
            except Exception as error:
                # The evaluator's contract: an exception is no result, and the caller decides on retries.
                answer = {"fault": traceback.format_exc(limit=-8)[-8000:], "outage": outage(error)}
            self._write(answer)

    def _answer(self, request: dict[str, Any]) -> Any:
        evaluator = self._evaluator(request)
        candidate = Candidate.from_json(request["candidate"])
        if request["op"] == "evaluate":
            result: TrialResult = evaluator.evaluate(candidate, on_stage=lambda stage: self._write({"stage": stage}))
            return result.to_json()
        known = TrialResult.from_json(request["trial_result"])
        if request["op"] == "sign_off":
            self._write({"stage": "sign_off"})
            return evaluator.sign_off(candidate, known)
        if request["op"] == "routing":
            self._write({"stage": "route"})
            return evaluator.route(candidate, known)
        write = evaluator.activity if request["op"] == "activity" else evaluator.export
        write(candidate, known, Path(request["out"]))
        return {"path": request["out"]}

    def _evaluator(self, request: dict[str, Any]) -> Any:
        key = request["job"]
        if key not in self._evaluators:
            dataset = request["dataset"]
            self._evaluators[key] = self._make(
                JobSpec.from_json(request["spec"]),
                Path(request["model"]),
                None if dataset is None else Path(dataset),
                Path(request["cache"]),
            )
        self._evaluators.move_to_end(key)
        while len(self._evaluators) > _KEPT_EVALUATORS:
            self._evaluators.popitem(last=False)
        return self._evaluators[key]

    def _write(self, answer: dict[str, Any]) -> None:
        # A NaN would be no JSON: better a fault now than a row that PostgreSQL refuses.
        try:
            text = json.dumps(answer, allow_nan=False)
        except ValueError as error:
            text = json.dumps({"fault": f"the evaluator gave a result that is not JSON: {error}", "outage": None})
        self._answers.write(text + "\n")
        self._answers.flush()


def main() -> None:
    """Serve on the inherited pipes; everything that prints goes to the log instead of into the answers."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    Server(sys.argv[1], answers).serve(sys.stdin)


if __name__ == "__main__":
    main()
