`include "dse_memory.svh"

/// Changes the integer format of a stream: requantize(x << left), with the clamp of an activation function.
///
/// Latency 2 cycles, one beat per cycle. Every output is a function of registers only. Reset empties it.
module dse_cast #(
  parameter int unsigned Lanes      = 4,   // elements per beat
  parameter int unsigned InWidth    = 8,   // bits of an input element
  parameter bit          InSigned   = 1,
  parameter int unsigned AccWidth   = 10,  // bits of x << left, two's complement
  parameter int unsigned ShiftWidth = 4,   // bits of each shift amount
  parameter int unsigned OutWidth   = 8,   // bits of an output element
  parameter int          Rounding   = 1,
  parameter int          Overflow   = 1,
  parameter longint      ClampLow   = -128,
  parameter longint      ClampHigh  = 127,
  parameter              ShiftFile  = "",  // one word: result shift lowest, then left
  localparam int unsigned InPayload  = Lanes * InWidth,
  localparam int unsigned OutPayload = Lanes * OutWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  in_valid_i,
  output logic                  in_ready_o,
  input  logic [InPayload-1:0]  in_payload_i,
  input  logic                  in_last_i,
  output logic                  out_valid_o,
  input  logic                  out_ready_i,
  output logic [OutPayload-1:0] out_payload_o,
  output logic                  out_last_o
);

  localparam int unsigned RqWidth      = AccWidth;
  localparam int unsigned RqShiftWidth = ShiftWidth;
  `include "dse_requantize.svh"

  logic [2*ShiftWidth-1:0] shift_memory[1];
  `DSE_LOAD_MEMORY(shift_memory, ShiftFile, "shift")

  logic beat_valid, beat_last, stall;
  logic [InPayload-1:0] beat;

  dse_spill_register #(.Width(InPayload)) u_in (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(in_valid_i), .in_ready_o(in_ready_o), .in_payload_i(in_payload_i), .in_last_i(in_last_i),
    .out_valid_o(beat_valid), .out_ready_i(!stall), .out_payload_o(beat), .out_last_o(beat_last)
  );

  function automatic logic [OutPayload-1:0] cast_word(
      input logic [InPayload-1:0] word, input logic [ShiftWidth-1:0] left, input logic [ShiftWidth-1:0] shift);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] result;
    for (int i = 0; i < Lanes; i++) begin
      automatic logic [InWidth-1:0] x = word[i*InWidth+:InWidth];
      automatic logic signed [AccWidth-1:0] wide = AccWidth'(signed'({InSigned & x[InWidth-1], x})) <<< left;
      result[i*OutWidth+:OutWidth] = requantize(wide, shift);
    end
    return result;
  endfunction

  logic result_valid_q, result_last_q;
  logic [OutPayload-1:0] result_q;

  assign stall         = result_valid_q && !out_ready_i;
  assign out_valid_o   = result_valid_q;
  assign out_payload_o = result_q;
  assign out_last_o    = result_last_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) result_valid_q <= 1'b0;
    else if (!stall) result_valid_q <= beat_valid;
    if (!stall && beat_valid) begin
      result_q      <= cast_word(beat, shift_memory[0][ShiftWidth+:ShiftWidth], shift_memory[0][ShiftWidth-1:0]);
      result_last_q <= beat_last;
    end
  end

endmodule
