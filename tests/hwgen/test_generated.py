"""Only generated code of the expected form is clocked without Verilator's scheduler."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwgen.errors import ToolError
from hwgen.simulation.compile import VERILATOR_FLAGS
from hwgen.simulation.generated import direct_clock
from hwgen.simulation.toolchain import find_toolchain
from hwgen.tools.process import run_tool

PLAIN = """
module dut(input logic clk_i, input logic d_i, output logic q_o);
  logic q_q;
  logic [7:0] memory[4];
  always_ff @(posedge clk_i) begin
    q_q <= d_i;
    memory[{1'b0, d_i}] <= memory[{1'b1, q_q}];
  end
  assign q_o = q_q ^ memory[0][0];
endmodule
"""
INPUT_LOGIC = """
module dut(input logic clk_i, input logic d_i, output logic q_o);
  logic enable;
  logic [3:0] count_q;
  logic [3:0] other_q;
  assign enable = d_i && count_q != 4'd9;
  always_ff @(posedge clk_i) if (enable) count_q <= count_q + 4'd1;
  always_ff @(posedge clk_i) if (enable) other_q <= other_q + count_q;
  assign q_o = ^other_q;
endmodule
"""
SPREAD = """
module cell_with_state(input logic clk_i, input logic d_i, output logic q_o);
  /* verilator no_inline_module */
  always_ff @(posedge clk_i) q_o <= d_i;
endmodule
module dut(input logic clk_i, input logic d_i, output logic q_o);
  cell_with_state u_cell(.clk_i(clk_i), .d_i(d_i), .q_o(q_o));
endmodule
"""


def verilated(text: str, directory: Path) -> Path:
    tools, source, made = find_toolchain(), directory / "dut.sv", directory / "made"
    source.write_text(text)
    made.mkdir()
    command = [tools.verilator, *VERILATOR_FLAGS, "--Mdir", made, "--prefix", "Vdut", "--top-module", "dut", source]
    run_tool(command, directory, {"VERILATOR_ROOT": str(tools.verilator_root)})
    return made


def test_registers_before_arrays_and_one_edge(tmp_path: Path) -> None:
    macros = direct_clock("Vdut", verilated(PLAIN, tmp_path))
    assert macros == {"HEADRACE_ROOT": "Vdut___024root", "HEADRACE_FIRST_ARRAY": "dut__DOT__memory"}


def test_logic_between_inputs_and_registers_is_evaluated_first(tmp_path: Path) -> None:
    assert "HEADRACE_INPUT_LOGIC" in direct_clock("Vdut", verilated(INPUT_LOGIC, tmp_path))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (PLAIN.replace("posedge", "negedge"), "one clock edge"),
        (PLAIN.replace("posedge clk_i", "posedge clk_i or posedge d_i"), "one clock edge"),
        (SPREAD, "spread"),
    ],
)
def test_other_forms_are_refused(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=reason):
        direct_clock("Vdut", verilated(text, tmp_path))


def test_a_register_behind_an_array_is_refused(tmp_path: Path) -> None:
    made = verilated(PLAIN, tmp_path)
    header = made / "Vdut___024root.h"
    text = header.read_text()
    header.write_text(text.replace("    // INTERNAL VARIABLES", "    CData/*0:0*/ late;\n    // INTERNAL VARIABLES"))
    with pytest.raises(ToolError, match="behind arrays"):
        direct_clock("Vdut", made)
