"""What Verilator's C++ of an operator looks like when it can be clocked without Verilator's scheduler.

An operator has one clock edge, all of its state in one class, and in that class registers come before arrays.
``runtime/wrapper.cpp`` relies on these three, so they are checked on the generated text itself.
"""

from __future__ import annotations

import re
from pathlib import Path

from hwgen.errors import ToolError

# What the trigger vectors are assigned, white space left out: one clock edge, and inputs that always count as changed.
_CLOCK = "(QData)((IData)(((IData)(vlSelfRef.clk_i)&(~(IData)(vlSelfRef.__Vtrigprevexpr___TOP__clk_i__0)))))"
_INPUTS = "((0xfffffffffffffffeULL&vlSelfRef.__VicoTriggered[0U])|(IData)((IData)(vlSelfRef.__VicoFirstIteration)))"
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
    if _triggers("act", code) != [_CLOCK]:
        raise _other_form(directory, "it has not one clock edge")
    inputs = _triggers("ico", code)
    if inputs not in ([], [_INPUTS]):
        raise _other_form(directory, "its logic at the inputs has triggers of its own")
    members = (directory / f"{root}.h").read_text().partition("// INTERNAL VARIABLES")[0]
    arrays = list(_ARRAY.finditer(members))
    if _MEMBER.search(members, arrays[0].start()):
        raise _other_form(directory, "it has registers behind arrays")
    macros = {"HEADRACE_ROOT": root, "HEADRACE_FIRST_ARRAY": arrays[0].group(1)}
    return macros | ({"HEADRACE_INPUT_LOGIC": ""} if inputs else {})


def _triggers(region: str, code: str) -> list[str]:
    return re.findall(rf"vlSelfRef\.__V{region}Triggered\[\d+U\]=([^;]*);", re.sub(r"\s+", "", code))


def _other_form(directory: Path, reason: str) -> ToolError:
    return ToolError(f"Verilator's code of {directory.name} cannot be clocked directly: {reason}")
