`include "dse_decode.svh"

/// One lane of `dse_reduce`, for synthesis: a pipeline that never stops, with `Stages` registers behind its `Levels` levels
/// (`dse_stages.svh`).
///
/// Levels: in mode 2 the weights, as they come out of a memory, and the product; for exponents the shift; shift and rounding of the
/// requantisation. The last two are behind the accumulator, which has a register of its own, as the multiplier of mode 1
/// has; registers_until(Levels - 2) are before it.
module dse_reduce_lane #(
  parameter int unsigned Mode         = 0,   // 0 maximum, 1 average, 2 depthwise
  parameter bit          Stored       = 0,   // the sum so far comes from a memory, not from the accumulator
  parameter int unsigned InWidth      = 8,   // bits of an input element
  parameter bit          InSigned     = 1,   // of the integer that it decodes to
  parameter int unsigned InCode       = 0,   // how it is written, see dse_decode.svh
  parameter int unsigned InExpWidth   = 0,   // bits of its exponent, 0: none
  parameter int unsigned WeightWidth  = 8,   // mode 2: bits of a weight
  parameter bit          WeightSigned = 1,
  parameter int unsigned MultWidth    = 16,  // mode 1: bits of an unsigned multiplier
  parameter int unsigned AccWidth     = 24,  // accumulator bits
  parameter int unsigned RqWidth      = 24,  // bits of the value before requantisation
  parameter int unsigned ShiftWidth   = 5,   // bits of a requantisation shift
  parameter int unsigned OutWidth     = 8,   // bits of an output element
  parameter int unsigned Stages       = 0,   // registers, at most Levels
  parameter int unsigned Levels       = 2,   // 2, in mode 2 two more, for exponents one more
  parameter int          Rounding     = 1,
  parameter int          Overflow     = 1,
  parameter longint      ClampLow     = -128,
  parameter longint      ClampHigh    = 127
) (
  input  logic                   clk_i,
  input  logic [InWidth-1:0]     element_i,
  input  logic [InExpWidth:0]    exponent_i,    // beside it, one spare bit
  input  logic [WeightWidth-1:0] weight_i,      // beside it
  input  logic                   step_i,        // the accumulator takes an element, registers_until(Levels - 2) later
  input  logic                   first_i,       // beside it: the first one of a result,
  input  logic [AccWidth-1:0]    start_i,       // with this word (modes 1 and 2),
  input  logic [AccWidth-1:0]    held_i,        // and the sum so far if it is stored
  output logic [AccWidth-1:0]    sum_o,         // what the accumulator becomes
  input  logic [MultWidth-1:0]   multiplier_i,  // beside the accumulator's output
  input  logic [ShiftWidth-1:0]  shift_i,       // beside the value before requantisation
  output logic [OutWidth-1:0]    word_o
);

  localparam int unsigned Average       = 1;
  localparam int unsigned Depthwise     = 2;
  localparam int unsigned ProductLevels = Mode == Depthwise ? 2 : 0;
  localparam int unsigned InInteger     = `DSE_DECODED_WIDTH(InWidth, InCode);
  localparam int unsigned ValueWidth    = InInteger + 1 + (Mode == Depthwise ? WeightWidth : 0);

  `include "dse_stages.svh"
  `DSE_DECODE(decode, InWidth, InCode)

  logic signed [ValueWidth-1:0] value;
  logic signed [AccWidth-1:0] aligned, previous, sum;
  logic [AccWidth-1:0] acc_q;
  logic [RqWidth-1:0] result;

  if (Mode == Depthwise) begin : gen_product
    logic [InWidth-1:0] element;
    logic [WeightWidth-1:0] weight;
    logic signed [ValueWidth-1:0] product;
    dse_delay #(.Width(InWidth), .Cycles(registers_until(1))) u_element (
      .clk_i(clk_i), .word_i(element_i), .word_o(element)
    );
    dse_delay #(.Width(WeightWidth), .Cycles(registers_until(1))) u_weight (
      .clk_i(clk_i), .word_i(weight_i), .word_o(weight)
    );
    dse_product #(.AWidth(InInteger), .ASigned(InSigned), .BWidth(WeightWidth), .BSigned(WeightSigned)) u_product (
      .a_i(decode(element)), .b_i(weight), .product_o(product)
    );
    dse_delay #(.Width(ValueWidth), .Cycles(32'(registered(2)))) u_register (
      .clk_i(clk_i), .word_i(product), .word_o(value)
    );
  end else begin : gen_element
    logic [InInteger-1:0] element;
    assign element = decode(element_i);
    assign value = signed'({InSigned & element[InInteger-1], element});
  end

  // The product of the mantissas is the smaller one: aligned after it.
  if (InExpWidth > 0) begin : gen_shift
    logic [InExpWidth:0] exponent;
    logic [AccWidth-1:0] shifted;
    dse_delay #(.Width(InExpWidth + 1), .Cycles(registers_until(ProductLevels))) u_exponent (
      .clk_i(clk_i), .word_i(exponent_i), .word_o(exponent)
    );
    assign shifted = AccWidth'(value) << exponent;
    dse_delay #(.Width(AccWidth), .Cycles(32'(registered(ProductLevels + 1)))) u_register (
      .clk_i(clk_i), .word_i(shifted), .word_o(aligned)
    );
  end else begin : gen_no_shift
    assign aligned = AccWidth'(value);
  end

  assign previous = Stored ? held_i : acc_q;
  if (Mode == Depthwise || Mode == Average) begin : gen_sum
    dse_adder_tree #(.Count(2), .Width(AccWidth), .SumWidth(AccWidth)) u_sum (
      .clk_i(clk_i), .words_i({first_i ? start_i : previous, aligned}), .sum_o(sum)
    );
  end else begin : gen_maximum
    assign sum = first_i || aligned > previous ? aligned : previous;
  end
  assign sum_o = sum;
  always_ff @(posedge clk_i) if (step_i) acc_q <= sum;

  if (Mode == Average) begin : gen_scale
    logic [RqWidth-1:0] result_q;
    always_ff @(posedge clk_i) result_q <= RqWidth'(signed'(acc_q)) * RqWidth'(signed'({1'b0, multiplier_i}));
    assign result = result_q;
  end else begin : gen_no_scale
    assign result = acc_q;
  end

  dse_requantizer #(
    .Width(RqWidth), .ShiftWidth(ShiftWidth), .OutWidth(OutWidth), .Rounding(Rounding), .Overflow(Overflow),
    .ClampLow(ClampLow), .ClampHigh(ClampHigh), .Registers(2'(registers_of(Levels - 1, 2)))
  ) u_result (
    .clk_i(clk_i), .value_i(result), .shift_i(shift_i), .word_o(word_o)
  );

endmodule
