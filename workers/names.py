"""Names that the API and the workers share: tasks, queues, commands. Imports nothing.

Where files lie is ``db.artefacts``. Commands that the API runs as ``python -m …`` print one JSON object on
stdout and exit 0; another exit status is a crash or a limit:

* ``workers.inspect model FILE OUT``: the answer of ``hwgen.model.inspect``, run in the sandbox; OUT gets the graph;
* ``workers.inspect dataset FILE [GRAPH]``: the answer of ``explorer.dataset``;
* ``workers.inspect check SPEC_JSON GRAPH [DATASET]``: the answer of ``explorer.check`` (SPEC_JSON is a file);
* ``workers.bundle TRIAL_ID``: builds the bundle unless it exists: {"ok": true, "path": …} or {"ok": false,
  "detail": …};
* ``workers.activity TRIAL_ID``: simulates a complete trial again and writes its trace unless it exists; answers alike;
* ``workers.importance JOB_ID``: {"ok": true, "trials": number, "importance": {objective: {decision: share}}};
* ``workers.doctor``: {"sandbox": {"mode", "reason"}, "tools": {name: version or null}} of this machine.

The same {"sandbox", "tools"} of each live worker is in ``WorkerRow.info`` (``Store.workers.alive``).
"""

from __future__ import annotations

DRIVE_TASK = "headrace.drive"
EVALUATE_TASK = "headrace.evaluate"

DRIVE_QUEUE = "headrace.drive"
EVALUATE_QUEUE = "headrace.evaluate"

# The store's outbox names work by a short verb; this is what each becomes on the broker.
MESSAGES = {"drive": (DRIVE_TASK, DRIVE_QUEUE), "evaluate": (EVALUATE_TASK, EVALUATE_QUEUE)}

INSPECT_COMMAND = "workers.inspect"
BUNDLE_COMMAND = "workers.bundle"
ACTIVITY_COMMAND = "workers.activity"
IMPORTANCE_COMMAND = "workers.importance"
DOCTOR_COMMAND = "workers.doctor"
