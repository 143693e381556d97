"""Everything that reads what a user sent runs in a subprocess with limits; this module starts them.

The API process imports neither torch, onnx nor numpy. The programs print one JSON object and exit with 0 also when
they refuse; any other exit is a crash or a limit, and the upload is refused as unreadable.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from api.errors import Problem
from api.settings import Settings
from workers.names import ACTIVITY_COMMAND, BUNDLE_COMMAND, IMPORTANCE_COMMAND, INSPECT_COMMAND

log = logging.getLogger(__name__)

_OUTPUT_BYTES = 8 * 1024 * 1024
_PARALLEL = 2
_REMEMBERED_CHECKS = 256
PARQUET_COMMAND = "api.parquet"


class Parser:
    """Starts the parsing programs, a few at a time."""

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.parse_seconds
        # The programs read the same settings from their environment, whatever this process was given them by.
        self._environment = os.environ | {
            "HEADRACE_HOME": str(settings.home),
            "HEADRACE_DATABASE_URL": settings.database_url,
        }
        self._environment.pop("HEADRACE_TOKEN", None)
        self._slots = threading.BoundedSemaphore(_PARALLEL)
        self._checks: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def inspect_model(self, upload: Path, graph: Path, fixed: Mapping[str, Any]) -> dict[str, Any]:
        """Parse an uploaded model into its canonical graph file.

        Args:
            upload: its file.
            graph: where the graph goes.
            fixed: ``shapes`` and ``freeze`` of the request, either or none.

        Returns:
            ``format``, ``graph`` (parameters, macs_per_inference, inputs, outputs, operators) and ``software``.

        Raises:
            Problem: ``invalid-model``, ``unsafe-model`` or ``unsupported-model``; ``invalid-body`` where what is fixed
                does not fit.
        """
        with _json_file(fixed) as file:
            more = [file] if fixed else []
            answer = self._run([INSPECT_COMMAND, "model", str(upload), str(graph), *more], "invalid-model")
        if not answer["ok"]:
            raise Problem(answer["type"], answer["detail"], errors=answer.get("errors", ()))
        return answer

    def inspect_dataset(self, upload: Path) -> dict[str, Any]:
        """Read the arrays of an uploaded dataset.

        Returns:
            ``samples`` and ``arrays`` (name -> shape, dtype).

        Raises:
            Problem: ``invalid-dataset``.
        """
        answer = self._run([INSPECT_COMMAND, "dataset", str(upload)], "invalid-dataset")
        if not answer["ok"]:
            raise Problem("invalid-dataset", answer["detail"], errors=answer.get("errors", ()))
        return answer

    def check_job(self, spec: Mapping[str, Any], graph: Path, dataset: Path | None) -> dict[str, Any]:
        """Whether any candidate can satisfy a job.

        Returns:
            ``space_size``, ``trials_total``, the trials the search will run at most, and ``metric``, the quality
            metric of the body or the default for its data.

        Raises:
            Problem: ``unsatisfiable``, with pointers into the body.
        """
        relevant = {k: v for k, v in spec.items() if k != "labels"}
        key = hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()
        with self._lock:
            known = self._checks.get(key)
        if known is not None:
            return known
        with _json_file(spec) as file:
            arguments = [INSPECT_COMMAND, "check", file, str(graph), *([str(dataset)] if dataset else [])]
            answer = self._run(arguments, "unsatisfiable")
        if not answer["ok"]:
            raise Problem(answer.get("type", "unsatisfiable"), answer["detail"], errors=answer.get("errors", ()))
        with self._lock:
            self._checks[key] = answer
            while len(self._checks) > _REMEMBERED_CHECKS:
                self._checks.popitem(last=False)
        return answer

    def build_bundle(self, trial_id: str) -> None:
        """Build the bundle of a complete trial at its place among the artefacts.

        Raises:
            Problem: ``export-failed``.
        """
        self._export(BUNDLE_COMMAND, trial_id)

    def build_activity(self, trial_id: str) -> None:
        """Simulate a complete trial again, and write the trace of its operators at its place among the artefacts.

        Raises:
            Problem: ``export-failed``.
        """
        self._export(ACTIVITY_COMMAND, trial_id)

    def _export(self, command: str, trial_id: str) -> None:
        answer = self._run([command, trial_id], "export-failed")
        if not answer["ok"]:
            raise Problem("export-failed", answer["detail"])

    def write_parquet(self, job_id: str, path: Path) -> None:
        """Write all trials of a job as a Parquet file.

        Raises:
            Problem: ``export-failed``.
        """
        self._run([PARQUET_COMMAND, job_id, str(path)], "export-failed")

    def importance(self, job_id: str) -> dict[str, Any]:
        """How much each decision of a job's search decides about each objective.

        Returns:
            ``trials``, the number of trials looked at, and ``importance``: objective -> decision -> share.

        Raises:
            Problem: ``internal``.
        """
        return self._run([IMPORTANCE_COMMAND, job_id], "internal")

    def _run(self, arguments: Sequence[str], slug: str) -> dict[str, Any]:
        """The answer of one program; ``slug`` is the problem when it crashed or reached a limit."""
        with self._slots, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            code = self._wait([sys.executable, "-m", *arguments], out.fileno(), err.fileno())
            out.seek(0)
            text = out.read(_OUTPUT_BYTES + 1)
            if code is None:
                raise Problem(slug, f"Reading it took more than {self._timeout_s:.0f} s: submit a smaller file.")
            if code != 0 or len(text) > _OUTPUT_BYTES:
                err.seek(0)
                log.warning("%s ended with %s: %s", arguments[:2], code, err.read()[-4000:].decode(errors="replace"))
                raise Problem(
                    slug,
                    "Reading it failed, or exceeded the limits of memory, time or output: check the file, or submit a "
                    "smaller one. The server's log has the details.",
                )
        answer: dict[str, Any] = json.loads(text)
        return answer

    def _wait(self, command: Sequence[str], out: int, err: int) -> int | None:
        """Exit status, or None after killing the process group at the time limit."""
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True, env=self._environment
        ) as process:
            try:
                return process.wait(self._timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return None


@contextmanager
def _json_file(document: Mapping[str, Any]) -> Iterator[str]:
    """The name of a file that holds the document, for a program that cannot be handed it."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="headrace-") as file:
        json.dump(document, file)
        file.flush()
        yield file.name
