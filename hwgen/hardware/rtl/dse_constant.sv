`include "dse_memory.svh"

/// Source that repeats the `Beats` beats of one sample for ever.
///
/// One beat per cycle from the first cycle after reset. Every output is a function of registers only.
module dse_constant #(
  parameter int unsigned Width = 8,  // payload bits, >= 1
  parameter int unsigned Beats = 4,  // beats of a sample, >= 1
  parameter              ValueFile = ""  // Beats words of Width bits, lane 0 lowest
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_payload_o,
  output logic             out_last_o
);

  localparam int unsigned AddrWidth = Beats > 1 ? $clog2(Beats) : 1;

  logic [Width-1:0] value_memory[Beats];
  logic [AddrWidth-1:0] next_q, addr_q;  // address of the word to come; address of the word at the output
  logic valid_q, last_q, advance;

  `DSE_LOAD_MEMORY(value_memory, ValueFile, "value")

  assign advance     = !valid_q || out_ready_i;
  assign out_valid_o = valid_q;
  assign out_last_o  = last_q;

  always_ff @(posedge clk_i) begin
    valid_q <= rst_ni;
    if (!rst_ni) next_q <= '0;
    else if (advance) next_q <= next_q == AddrWidth'(Beats - 1) ? '0 : next_q + 1'b1;
    if (advance) begin
      addr_q <= next_q;
      last_q <= next_q == AddrWidth'(Beats - 1);
    end
  end

`ifdef SYNTHESIS
  // In logic, the enable of an address register would cost a multiplexer a bit.
  logic [Width-1:0] word_q;
  always_ff @(posedge clk_i) if (advance) word_q <= value_memory[next_q];
`endif
  assign out_payload_o = `DSE_READ(value_memory[addr_q], word_q);

endmodule
