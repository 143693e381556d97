`include "dse_memory.svh"

/// Changes the integer format of a stream: requantize(x << left), with the clamp of an activation function.
///
/// The arithmetic is a pipeline that never stops, with `Stages` registers (`dse_stages.svh`); a beat is taken when the
/// output has a place for its result. Levels: shift and rounding of the requantisation.
/// Latency 2 + Stages cycles, one beat per cycle. Every output is a function of registers only. Reset empties it.
module dse_cast #(
  parameter int unsigned Lanes      = 4,   // elements per beat
  parameter int unsigned InWidth    = 8,   // bits of an input element
  parameter bit          InSigned   = 1,
  parameter int unsigned AccWidth   = 10,  // bits of x << left, two's complement
  parameter int unsigned ShiftWidth = 4,   // bits of each shift amount
  parameter int unsigned OutWidth   = 8,   // bits of an output element
  parameter int unsigned Stages     = 0,   // registers within the arithmetic, at most Levels
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

  localparam int unsigned Levels = 2;
  `include "dse_stages.svh"
  localparam int unsigned Way    = `DSE_READ(0, Stages) + 1;

  logic [2*ShiftWidth-1:0] shift_memory[1];
  `DSE_LOAD_MEMORY(shift_memory, ShiftFile, "shift")

  logic free;
  assign in_ready_o = free;

  // ---- Beats on their way: index 0 arrives in this cycle, index k did k cycles ago.
  logic [Way-1:0] way_valid, way_last;
  if (Way > 1) begin : gen_way
    logic [Way-2:0] way_valid_q, way_last_q;
    always_ff @(posedge clk_i) begin
      way_valid_q <= rst_ni ? way_valid[Way-2:0] : '0;
      way_last_q  <= way_last[Way-2:0];
    end
    assign way_valid = {way_valid_q, in_valid_i && free};
    assign way_last  = {way_last_q, in_last_i};
  end else begin : gen_at_once
    assign way_valid = in_valid_i && free;
    assign way_last  = in_last_i;
  end

  // ---- Arithmetic: simulation does it at once and hides the word as long as synthesis takes for it.
  logic [OutPayload-1:0] out_word;
`ifdef SYNTHESIS
  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [InWidth-1:0] x;
    logic signed [AccWidth-1:0] wide;
    assign x = in_payload_i[i*InWidth+:InWidth];
    assign wide = AccWidth'(signed'({InSigned & x[InWidth-1], x})) <<< shift_memory[0][ShiftWidth+:ShiftWidth];
    dse_requantizer #(
      .Width(AccWidth), .ShiftWidth(ShiftWidth), .OutWidth(OutWidth), .Rounding(Rounding), .Overflow(Overflow),
      .ClampLow(ClampLow), .ClampHigh(ClampHigh), .Registers(2'(registers_of(1, 2)))
    ) u_result (
      .clk_i(clk_i), .value_i(wide), .shift_i(shift_memory[0][ShiftWidth-1:0]), .word_o(out_word[i*OutWidth+:OutWidth])
    );
  end
`else
  localparam int unsigned RqWidth      = AccWidth;
  localparam int unsigned RqShiftWidth = ShiftWidth;
  `include "dse_requantize.svh"

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

  always_comb begin
    out_word = '0;
    if (in_valid_i)
      out_word = cast_word(in_payload_i, shift_memory[0][ShiftWidth+:ShiftWidth], shift_memory[0][ShiftWidth-1:0]);
  end
`endif

  dse_credit_fifo #(.Width(OutPayload), .Depth(places(Stages + 2, 1, 1)), .Delay(`DSE_READ(Stages, 0))) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .reserve_i(in_valid_i && free), .free_o(free),
    .push_i(way_valid[Way-1]), .payload_i(out_word), .last_i(way_last[Way-1]),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
