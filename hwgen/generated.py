"""What Verilator's C++ of an operator looks like when it can be clocked without Verilator's scheduler.

An operator has one clock edge, all of its state in one class, and in that class registers come before arrays.
``runtime/wrapper.cpp`` relies on these three, so they are checked on the generated text itself.
"""

from __future__ import annotations

import re
from pathlib import Path

from hwgen.errors import ToolError

# Assignments of the two trigger vectors, white space left out: one clock edge, and inputs that always count as changed.
_TRIGGERS = {
    "__VactTriggered": (
        "(QData)((IData)(((IData)(vlSelfRef.clk_i)&(~(IData)(vlSelfRef.__Vtrigprevexpr___TOP__clk_i__0)))))"
    ),
    "__VicoTriggered": (
        "((0xfffffffffffffffeULL&vlSelfRef.__VicoTriggered[0U])|(IData)((IData)(vlSelfRef.__VicoFirstIteration)))"
    ),
}
_MEMBER = re.compile(r"^\s+(?:VL_(?:IN|OUT)\w*\(|[CSIQ]Data/|VlWide<).*;$", re.MULTILINE)
_ARRAY = re.compile(r"^\s+VlUnpacked<.*> (\w+);$", re.MULTILINE)


def direct_clock(prefix: str, directory: Path) -> dict[str, str]:
    """The macros of ``runtime/wrapper.cpp`` that clock a generated model directly.

    Args:
        prefix: name of the generated class.
        directory: what Verilator wrote.

    Raises:
        ToolError: the model has another form; the message says which.
    """
    root = f"{prefix}___024root"
    classes = {path.stem for path in directory.glob("*.h")} - {prefix, f"{prefix}__Syms", f"{prefix}__pch"}
    if classes != {root}:
        raise _other_form(directory, f"its state is spread over {', '.join(sorted(classes))}")
    code = "".join(path.read_text() for path in directory.glob("*.cpp") if "Slow" not in path.name)
    plain = re.sub(r"\s+", "", code)
    for vector, trigger in _TRIGGERS.items():
        if re.findall(rf"vlSelfRef\.{vector}\[\d+U\]=([^;]*);", plain) != [trigger]:
            raise _other_form(directory, f"{vector} is not that of one clock edge")
    members = (directory / f"{root}.h").read_text().partition("// INTERNAL VARIABLES")[0]
    arrays = list(_ARRAY.finditer(members))
    if _MEMBER.search(members, arrays[0].start()):
        raise _other_form(directory, "it has registers behind arrays")
    return {"HEADRACE_ROOT": root, "HEADRACE_FIRST_ARRAY": arrays[0].group(1)}


def _other_form(directory: Path, reason: str) -> ToolError:
    return ToolError(f"Verilator's code of {directory.name} cannot be clocked directly: {reason}")
