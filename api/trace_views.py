"""The trace of a trial, in the format of Chrome's tracing, which Perfetto opens."""

from __future__ import annotations

from pydantic import Field

from api.views import OpenView, absent_unless_known


class SliceCycles(OpenView):
    """Exact cycles of a slice; of a name (`ph` M), what is named."""

    busy_cycles: int | None = absent_unless_known("cycles with a transfer on any of its streams")
    blocked_cycles: int | None = absent_unless_known("cycles in which a consumer held an output")
    starved_cycles: int | None = absent_unless_known("cycles in which it waited for a producer")
    idle_cycles: int | None = absent_unless_known("other cycles, in which it computed without a transfer")
    name: str | None = absent_unless_known("name of the process or thread")


class TraceEvent(OpenView):
    """A slice (`ph` X) of an operator, or the name (`ph` M) of a process or thread."""

    ph: str = Field(description="X or M")
    name: str = Field(description="of a slice, what the operator did most: busy, blocked, starved or idle")
    pid: int = Field(description="index of the device")
    tid: int = Field(description="number of the operator, in topological order, from 1")
    ts: int | None = absent_unless_known("first cycle")
    dur: int | None = absent_unless_known("cycles")
    args: SliceCycles = Field(description="exact cycles of a slice")


class TraceNotes(OpenView):
    """What the file says of itself."""

    candidate: str | None = absent_unless_known("hash of the candidate")
    samples: int | None = absent_unless_known("samples streamed")
    cycles: int | None = absent_unless_known("cycles simulated")
    time: str = Field(description="what a unit of time is")


class ChromeTraceView(OpenView):
    """A trace."""

    trace_events: list[TraceEvent] = Field(alias="traceEvents", description="slices and names")
    display_unit: str = Field(alias="displayTimeUnit", description="unit that a viewer shows times in")
    notes: TraceNotes = Field(alias="otherData", description="what the file says of itself")
