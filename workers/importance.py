"""Which decisions of a job decide about its objectives: ``python -m workers.importance JOB_ID``.

Prints {"ok": true, "trials": number, "importance": {objective: {decision: share}}}.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from db.store import Store
from explorer.candidate import Candidate
from explorer.importance import evenly, importances
from explorer.spec import JobSpec
from workers.settings import from_environment


def importance(store: Store, job_id: str) -> dict[str, Any]:
    """The answer about a job. Raises NotFoundError or GoneError."""
    spec = JobSpec.from_json(store.jobs.get(job_id).spec)
    ended = [trial for trial in store.trials.history(job_id) if trial.result is not None]
    found = [
        (Candidate.from_json(trial.candidate), dict(trial.result["metrics"]))
        for trial in (ended[index] for index in evenly(len(ended)))
        if trial.result is not None
    ]
    return {"ok": True, "trials": len(found), "importance": importances(spec, found)}


def main() -> int:
    """Compute, print the answer; 2 for a usage error."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    store = Store(from_environment().database_url)
    try:
        print(json.dumps(importance(store, sys.argv[1])))
    finally:
        store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
