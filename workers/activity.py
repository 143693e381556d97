"""Trace what the operators of one complete trial did when: ``python -m workers.activity TRIAL_ID``.

Simulates the trial again in the sandbox and writes Chrome trace JSON. Prints {"ok": true, "path": …}, or {"ok": false,
"detail": …} when there is nothing to trace or the simulation failed.
"""

from __future__ import annotations

import sys

from db.artefacts import Artefacts
from workers import bundle


def main() -> int:
    """Build, print the answer; 2 for a usage error."""
    return bundle.run(sys.argv, __doc__, "activity", "trace.json", Artefacts.activity)


if __name__ == "__main__":
    sys.exit(main())
