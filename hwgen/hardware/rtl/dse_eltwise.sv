`include "dse_memory.svh"

/// Elementwise sum or product of two streams: requantize((a << left_a) op (b << left_b)).
///
/// The left shifts bring both operands to one scale; the accumulator is wide enough never to overflow.
/// Latency 3 cycles, one beat per cycle. Every output is a function of registers only. Reset empties it.
module dse_eltwise #(
  parameter int unsigned Lanes      = 4,   // elements per beat
  parameter bit          Multiply   = 0,   // 0 sum, 1 product
  parameter int unsigned AWidth     = 8,   // bits of an element of a
  parameter bit          ASigned    = 1,
  parameter int unsigned BWidth     = 8,   // bits of an element of b
  parameter bit          BSigned    = 1,
  parameter int unsigned AccWidth   = 18,  // bits of the sum or product, two's complement
  parameter int unsigned ShiftWidth = 5,   // bits of each shift amount
  parameter int unsigned OutWidth   = 8,   // bits of an output element
  parameter int          Rounding   = 1,
  parameter int          Overflow   = 1,
  parameter longint      ClampLow   = -128,
  parameter longint      ClampHigh  = 127,
  parameter              ShiftFile  = "",  // one word: result shift lowest, then left_a, then left_b
  localparam int unsigned APayload   = Lanes * AWidth,
  localparam int unsigned BPayload   = Lanes * BWidth,
  localparam int unsigned OutPayload = Lanes * OutWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  a_valid_i,
  output logic                  a_ready_o,
  input  logic [APayload-1:0]   a_payload_i,
  input  logic                  a_last_i,
  input  logic                  b_valid_i,
  output logic                  b_ready_o,
  input  logic [BPayload-1:0]   b_payload_i,
  input  logic                  b_last_i,
  output logic                  out_valid_o,
  input  logic                  out_ready_i,
  output logic [OutPayload-1:0] out_payload_o,
  output logic                  out_last_o
);

  localparam int unsigned RqWidth      = AccWidth;
  localparam int unsigned RqShiftWidth = ShiftWidth;
  `include "dse_requantize.svh"

  typedef logic signed [AccWidth-1:0] acc_word_t[Lanes];

  logic [3*ShiftWidth-1:0] shift_memory[1];
  `DSE_LOAD_MEMORY(shift_memory, ShiftFile, "shift")

  logic pair_valid, pair_last, stall;
  logic [APayload-1:0] a_beat;
  logic [BPayload-1:0] b_beat;

  dse_join #(.AWidth(APayload), .BWidth(BPayload)) u_join (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .a_valid_i(a_valid_i), .a_ready_o(a_ready_o), .a_payload_i(a_payload_i), .a_last_i(a_last_i),
    .b_valid_i(b_valid_i), .b_ready_o(b_ready_o), .b_payload_i(b_payload_i), .b_last_i(b_last_i),
    .out_valid_o(pair_valid), .out_ready_i(!stall), .out_a_o(a_beat), .out_b_o(b_beat), .out_last_o(pair_last)
  );

  function automatic acc_word_t combine(
      input logic [APayload-1:0] a, input logic [BPayload-1:0] b,
      input logic [ShiftWidth-1:0] left_a, input logic [ShiftWidth-1:0] left_b);
    /* verilator no_inline_task */
    acc_word_t result;
    for (int i = 0; i < Lanes; i++) begin
      automatic logic [AWidth-1:0] x = a[i*AWidth+:AWidth];
      automatic logic [BWidth-1:0] y = b[i*BWidth+:BWidth];
      automatic logic signed [AccWidth-1:0] wide_a = AccWidth'(signed'({ASigned & x[AWidth-1], x})) <<< left_a;
      automatic logic signed [AccWidth-1:0] wide_b = AccWidth'(signed'({BSigned & y[BWidth-1], y})) <<< left_b;
      result[i] = Multiply ? wide_a * wide_b : wide_a + wide_b;
    end
    return result;
  endfunction

  function automatic logic [OutPayload-1:0] requantize_word(
      input acc_word_t acc, input logic [ShiftWidth-1:0] shift);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    for (int i = 0; i < Lanes; i++) word[i*OutWidth+:OutWidth] = requantize(acc[i], shift);
    return word;
  endfunction

  acc_word_t acc_q;
  logic acc_valid_q, acc_last_q, result_valid_q, result_last_q;
  logic [OutPayload-1:0] result_q;

  assign stall         = result_valid_q && !out_ready_i;
  assign out_valid_o   = result_valid_q;
  assign out_payload_o = result_q;
  assign out_last_o    = result_last_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      acc_valid_q    <= 1'b0;
      result_valid_q <= 1'b0;
    end else if (!stall) begin
      acc_valid_q    <= pair_valid;
      result_valid_q <= acc_valid_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!stall && pair_valid) begin
      acc_q <= combine(a_beat, b_beat, shift_memory[0][ShiftWidth+:ShiftWidth], shift_memory[0][2*ShiftWidth+:ShiftWidth]);
      acc_last_q <= pair_last;
    end
    if (!stall && acc_valid_q) begin
      result_q      <= requantize_word(acc_q, shift_memory[0][ShiftWidth-1:0]);
      result_last_q <= acc_last_q;
    end
  end

endmodule
