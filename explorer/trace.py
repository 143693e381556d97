"""What the operators of a simulated design did when, as Chrome trace JSON, which Perfetto opens.

A device is a process, an operator a thread. A slice is named after what the operator did most in its windows, and its
arguments are the exact cycles; one microsecond of the trace is one cycle.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hwgen.hardware.design import Design
from hwgen.simulation.activity import STATES, OperatorTrace

Event = dict[str, Any]


def chrome_trace(
    design: Design, devices: Sequence[str], traces: Mapping[str, OperatorTrace], about: Mapping[str, Any]
) -> dict[str, Any]:
    """The trace of a design.

    Args:
        design: the design.
        devices: the platform's devices, by name.
        traces: per instance.
        about: what else the file says of itself.
    """
    used = sorted({instance.device for instance in design.instances})
    events = [_name("process", device, 0, f"device {device}: {devices[device]}") for device in used]
    for thread, instance in enumerate(design.instances, 1):
        events.append(_name("thread", instance.device, thread, instance.name))
        events += _slices(instance.device, thread, traces[instance.name])
    said = {**about, "time": "1 us in this trace is 1 clock cycle"}
    return {"traceEvents": events, "displayTimeUnit": "ns", "otherData": said}


def _name(what: str, process: int, thread: int, name: str) -> Event:
    return {"ph": "M", "name": f"{what}_name", "pid": process, "tid": thread, "args": {"name": name}}


def _slices(process: int, thread: int, trace: OperatorTrace) -> Iterator[Event]:
    """Runs of windows in which the operator did the same most of the time."""
    numbered = ((index, counts) for index, counts in enumerate(trace.windows) if any(counts))
    for state, run in itertools.groupby(numbered, key=lambda window: window[1].index(max(window[1]))):
        windows = list(run)
        cycles = [sum(column) for column in zip(*(counts for _, counts in windows), strict=True)]
        yield {
            "ph": "X",
            "name": STATES[state],
            "cat": "operator",
            "pid": process,
            "tid": thread,
            "ts": windows[0][0] * trace.cycles_per_window,
            "dur": sum(cycles),
            "args": dict(zip((f"{name}_cycles" for name in STATES), cycles, strict=True)),
        }
