"""Build the bundle of one complete trial: ``python -m workers.bundle TRIAL_ID``.

Prints {"ok": true, "path": …}, or {"ok": false, "detail": …} when there is nothing to build or the export failed.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from db.artefacts import Artefacts
from db.errors import StoreError
from db.store import Store
from workers import evaluation, supervisor
from workers.settings import Settings, from_environment

Place = Callable[[Artefacts, str], Path]


class ExportError(Exception):
    """There is no bundle; the message says why."""


def build(settings: Settings, trial_id: str, op: str, name: str, place: Place) -> Path:
    """The path of a file about the trial, built in the sandbox unless it exists already.

    Args:
        settings: of this process.
        trial_id: a complete trial.
        op: what the evaluator child is asked to do.
        name: of the file it writes.
        place: where the file then belongs.

    Raises:
        ExportError: the trial is unknown or not complete, or its export failed.
    """
    places = Artefacts(settings.home)
    target = place(places, trial_id)
    if target.exists():
        return target
    store = Store(settings.database_url)
    try:
        trial = store.trials.get(trial_id)
        spec = store.jobs.get(trial.job_id).spec
    except StoreError as error:
        raise ExportError(str(error)) from error
    finally:
        store.close()
    if trial.state != "complete":
        raise ExportError(f"trial {trial_id} is {trial.state}: only a complete trial has a design")
    with tempfile.TemporaryDirectory(dir=places.home / "incoming", prefix="bundle-") as scratch:
        out = Path(scratch).resolve() / name
        asked = evaluation.request(settings, op, trial, spec, trial_result=trial.result, out=str(out))
        _export(settings, asked, Path(scratch))
        if not out.is_file() or out.is_symlink():
            raise ExportError(f"the export wrote no {name}")
        return places.place(out, target)


def _export(settings: Settings, asked: dict[str, object], scratch: Path) -> None:
    log = scratch / "log"
    child = supervisor.Child(evaluation.evaluator_command(settings, writable=(scratch,)), log)
    try:
        answer = child.call(asked, settings.trial_seconds, settings.heartbeat_seconds, lambda _stage: None)
    except (supervisor.ChildDiedError, supervisor.TooLongError) as error:
        raise ExportError(f"the export failed: {error}") from error
    finally:
        child.close()
    if "fault" in answer:
        raise ExportError(f"the export failed: {answer['fault']}")


def run(arguments: Sequence[str], usage: str | None, op: str, name: str, place: Place) -> int:
    """The command: build the file about the trial of ``arguments``, print the answer; 2 for a usage error."""
    if len(arguments) != 2:
        print(usage, file=sys.stderr)
        return 2
    try:
        print(json.dumps({"ok": True, "path": str(build(from_environment(), arguments[1], op, name, place))}))
    except (ExportError, ValueError) as error:
        print(json.dumps({"ok": False, "detail": str(error)}))
    return 0


def main() -> int:
    """Build, print the answer; 2 for a usage error."""
    return run(sys.argv, __doc__, "export", "bundle.zip", Artefacts.bundle)


if __name__ == "__main__":
    sys.exit(main())
