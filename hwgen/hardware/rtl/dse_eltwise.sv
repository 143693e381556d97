`include "dse_memory.svh"

/// Elementwise sum or product of two streams: requantize((a << left_a) op (b << left_b)).
///
/// The left shifts bring both operands to one scale; the accumulator is wide enough never to overflow.
/// The arithmetic is a pipeline that never stops, with `Stages` registers (`dse_stages.svh`); a pair enters it when the
/// output has a place for its result. Levels: the sum or product; shift and rounding of the requantisation.
/// Latency 3 + Stages cycles, one beat per cycle. Every output is a function of registers only. Reset empties it.
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
  parameter int unsigned Stages     = 0,   // registers within the arithmetic, at most Levels
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

  localparam int unsigned Levels = 3;
  `include "dse_stages.svh"
  localparam int unsigned Way    = `DSE_READ(0, Stages) + 1;

  logic [3*ShiftWidth-1:0] shift_memory[1];
  `DSE_LOAD_MEMORY(shift_memory, ShiftFile, "shift")

  logic pair_valid, pair_last, free;
  logic [APayload-1:0] a_beat;
  logic [BPayload-1:0] b_beat;

  dse_join #(.AWidth(APayload), .BWidth(BPayload)) u_join (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .a_valid_i(a_valid_i), .a_ready_o(a_ready_o), .a_payload_i(a_payload_i), .a_last_i(a_last_i),
    .b_valid_i(b_valid_i), .b_ready_o(b_ready_o), .b_payload_i(b_payload_i), .b_last_i(b_last_i),
    .out_valid_o(pair_valid), .out_ready_i(free), .out_a_o(a_beat), .out_b_o(b_beat), .out_last_o(pair_last)
  );

  // ---- Pairs on their way: index 0 enters in this cycle, index k did k cycles ago.
  logic [Way-1:0] way_valid, way_last;
  if (Way > 1) begin : gen_way
    logic [Way-2:0] way_valid_q, way_last_q;
    always_ff @(posedge clk_i) begin
      way_valid_q <= rst_ni ? way_valid[Way-2:0] : '0;
      way_last_q  <= way_last[Way-2:0];
    end
    assign way_valid = {way_valid_q, pair_valid && free};
    assign way_last  = {way_last_q, pair_last};
  end else begin : gen_at_once
    assign way_valid = pair_valid && free;
    assign way_last  = pair_last;
  end

  // ---- Arithmetic: simulation does it at once and hides the word as long as synthesis takes for it.
  logic [OutPayload-1:0] out_word;
`ifdef SYNTHESIS
  logic [ShiftWidth-1:0] shift, left_a, left_b;
  assign {left_b, left_a, shift} = shift_memory[0];

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [AWidth-1:0] x;
    logic [BWidth-1:0] y;
    logic signed [AccWidth-1:0] combined, acc;
    assign x = a_beat[i*AWidth+:AWidth];
    assign y = b_beat[i*BWidth+:BWidth];
    if (Multiply) begin : gen_product
      // The product of the narrow words, shifted by both shifts.
      logic signed [AWidth+BWidth:0] product;
      dse_product #(.AWidth(AWidth), .ASigned(ASigned), .BWidth(BWidth), .BSigned(BSigned)) u_product (
        .a_i(x), .b_i(y), .product_o(product)
      );
      assign combined = AccWidth'(product) <<< ({1'b0, left_a} + {1'b0, left_b});
    end else begin : gen_sum
      assign combined = (AccWidth'(signed'({ASigned & x[AWidth-1], x})) <<< left_a)
                      + (AccWidth'(signed'({BSigned & y[BWidth-1], y})) <<< left_b);
    end
    dse_delay #(.Width(AccWidth), .Cycles(32'(registered(1)))) u_register (
      .clk_i(clk_i), .word_i(combined), .word_o(acc)
    );
    dse_requantizer #(
      .Width(AccWidth), .ShiftWidth(ShiftWidth), .OutWidth(OutWidth), .Rounding(Rounding), .Overflow(Overflow),
      .ClampLow(ClampLow), .ClampHigh(ClampHigh), .Registers(2'(registers_of(2, 2)))
    ) u_result (
      .clk_i(clk_i), .value_i(acc), .shift_i(shift), .word_o(out_word[i*OutWidth+:OutWidth])
    );
  end
`else
  localparam int unsigned RqWidth      = AccWidth;
  localparam int unsigned RqShiftWidth = ShiftWidth;
  `include "dse_requantize.svh"

  function automatic logic [OutPayload-1:0] combine(
      input logic [APayload-1:0] a, input logic [BPayload-1:0] b, input logic [3*ShiftWidth-1:0] shifts);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    for (int i = 0; i < Lanes; i++) begin
      automatic logic [AWidth-1:0] x = a[i*AWidth+:AWidth];
      automatic logic [BWidth-1:0] y = b[i*BWidth+:BWidth];
      automatic logic signed [AccWidth-1:0] wide_a =
          AccWidth'(signed'({ASigned & x[AWidth-1], x})) <<< shifts[ShiftWidth+:ShiftWidth];
      automatic logic signed [AccWidth-1:0] wide_b =
          AccWidth'(signed'({BSigned & y[BWidth-1], y})) <<< shifts[2*ShiftWidth+:ShiftWidth];
      word[i*OutWidth+:OutWidth] =
          requantize(Multiply ? wide_a * wide_b : wide_a + wide_b, shifts[ShiftWidth-1:0]);
    end
    return word;
  endfunction

  always_comb begin
    out_word = '0;
    if (pair_valid) out_word = combine(a_beat, b_beat, shift_memory[0]);
  end
`endif

  dse_credit_fifo #(.Width(OutPayload), .Depth(places(Stages + 2, 1, 1)), .Delay(`DSE_READ(Stages, 0))) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .reserve_i(pair_valid && free), .free_o(free),
    .push_i(way_valid[Way-1]), .payload_i(out_word), .last_i(way_last[Way-1]),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
