"""Build the bundle of one complete trial: ``python -m workers.bundle TRIAL_ID``.

Prints {"ok": true, "path": …}, or {"ok": false, "detail": …} when there is nothing to build or the export failed.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from db.artefacts import Artefacts
from db.errors import StoreError
from db.store import Store
from workers import evaluation, supervisor
from workers.settings import Settings, from_environment


class ExportError(Exception):
    """There is no bundle; the message says why."""


def build(settings: Settings, trial_id: str) -> Path:
    """The path of the trial's bundle, built in the sandbox unless it exists already.

    Raises:
        ExportError: the trial is unknown or not complete, or its export failed.
    """
    places = Artefacts(settings.home)
    target = places.bundle(trial_id)
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
        raise ExportError(f"trial {trial_id} is {trial.state}: only a complete trial has a bundle")
    with tempfile.TemporaryDirectory(dir=places.home / "incoming", prefix="bundle-") as scratch:
        out = Path(scratch).resolve() / "bundle.zip"
        asked = evaluation.request(settings, "export", trial, spec, trial_result=trial.result, out=str(out))
        _export(settings, asked, Path(scratch))
        if not out.is_file() or out.is_symlink():
            raise ExportError("the export wrote no bundle")
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


def main() -> int:
    """Build, print the answer; 2 for a usage error."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(json.dumps({"ok": True, "path": str(build(from_environment(), sys.argv[1]))}))
    except (ExportError, ValueError) as error:
        print(json.dumps({"ok": False, "detail": str(error)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
