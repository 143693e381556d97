`include "dse_decode.svh"

/// `OutLanes` dot products of one vector of `InLanes` elements, summed over steps and requantised, for synthesis: a
/// pipeline that never stops, with `Stages` registers behind its `Levels` levels (`dse_stages.svh`).
///
/// Levels: the words, as they come out of memories; the products; each level of the adder tree over a partial sum; for
/// shared exponents, the shift by that of a, the shift by that of b, and each level of the tree over the partial sums;
/// shift and rounding of the requantisation. The last two are behind the accumulator, which has a register of its own;
/// registers_until(Levels - 2) are before it.
module dse_dot #(
  parameter int unsigned InLanes    = 4,   // elements of a vector
  parameter int unsigned OutLanes   = 4,   // vectors b
  parameter int unsigned SubBlocks  = 1,   // partial sums of a dot product, each with exponents of its own
  parameter int unsigned AWidth     = 8,   // bits of an element of a
  parameter bit          ASigned    = 1,   // of the integer that it decodes to
  parameter int unsigned ACode      = 0,   // how it is written, see dse_decode.svh
  parameter int unsigned AExpWidth  = 0,   // bits of an exponent of a, 0: none
  parameter int unsigned BWidth     = 8,   // bits of an element of b
  parameter bit          BSigned    = 1,   // of the integer that it decodes to
  parameter int unsigned BCode      = 0,   // how it is written, see dse_decode.svh
  parameter int unsigned BExpWidth  = 0,   // bits of an exponent of b, 0: none
  parameter int unsigned AccWidth   = 24,  // accumulator bits
  parameter bit          SharedShift = 1,  // one requantisation shift for all outputs
  parameter int unsigned ShiftWidth = 5,   // bits of a requantisation shift
  parameter int unsigned OutWidth   = 8,   // bits of an output element
  parameter int unsigned Stages     = 0,   // registers, at most Levels
  parameter int unsigned Levels     = 6,   // 4 + $clog2(InLanes / SubBlocks), with exponents 2 + $clog2(SubBlocks) more
  parameter int          Rounding   = 1,
  parameter int          Overflow   = 1,
  parameter longint      ClampLow   = -128,
  parameter longint      ClampHigh  = 127,
  // One spare bit in each exponent: their widths are never 0.
  localparam int unsigned AExponents = SubBlocks * (AExpWidth + 1),
  localparam int unsigned BExponents = OutLanes * SubBlocks * (BExpWidth + 1),
  localparam int unsigned ShiftLanes = SharedShift ? 1 : OutLanes
) (
  input  logic                               clk_i,
  input  logic [InLanes*AWidth-1:0]          a_i,
  input  logic [AExponents-1:0]              a_exponents_i,  // beside a, like those of b beside b
  input  logic [OutLanes*InLanes*BWidth-1:0] b_i,            // element fastest
  input  logic [BExponents-1:0]              b_exponents_i,
  input  logic                               step_i,    // the accumulator takes a step, registers_until(Levels - 2) later
  input  logic                               first_i,   // beside it: the step starts a sum,
  input  logic [OutLanes*AccWidth-1:0]       start_i,   // with these words
  input  logic [ShiftLanes*ShiftWidth-1:0]   shift_i,   // beside the accumulator's output
  output logic [OutLanes*OutWidth-1:0]       word_o
);

  localparam int unsigned SubLanes     = InLanes / SubBlocks;
  localparam bit          Shifted      = AExpWidth + BExpWidth > 0;
  localparam int unsigned AInteger     = `DSE_DECODED_WIDTH(AWidth, ACode);
  localparam int unsigned BInteger     = `DSE_DECODED_WIDTH(BWidth, BCode);
  localparam int unsigned ProductWidth = AInteger + BInteger + 1;
  localparam int unsigned PartialWidth = ProductWidth + $clog2(SubLanes);

  localparam int unsigned WordLevel    = 1;
  localparam int unsigned ProductLevel = 2;
  localparam int unsigned PartialLevel = 3;
  localparam int unsigned ShiftLevel   = PartialLevel + $clog2(SubLanes);
  localparam int unsigned TotalLevel   = ShiftLevel + 2;
  localparam int unsigned ResultLevel  = Levels - 1;

  `include "dse_stages.svh"
  `DSE_DECODE(decode_a, AWidth, ACode)
  `DSE_DECODE(decode_b, BWidth, BCode)

  logic [InLanes*AWidth-1:0] a;
  logic [OutLanes*InLanes*BWidth-1:0] b;
  logic [AExponents-1:0] a_exponents;
  logic [BExponents-1:0] b_exponents;

  dse_delay #(.Width(InLanes * AWidth), .Cycles(registers_until(WordLevel))) u_a (
    .clk_i(clk_i), .word_i(a_i), .word_o(a)
  );
  dse_delay #(.Width(OutLanes * InLanes * BWidth), .Cycles(registers_until(WordLevel))) u_b (
    .clk_i(clk_i), .word_i(b_i), .word_o(b)
  );

  if (Shifted) begin : gen_exponents
    dse_delay #(.Width(AExponents), .Cycles(registers_until(ShiftLevel - 1))) u_a (
      .clk_i(clk_i), .word_i(a_exponents_i), .word_o(a_exponents)
    );
    dse_delay #(.Width(BExponents), .Cycles(registers_until(ShiftLevel))) u_b (
      .clk_i(clk_i), .word_i(b_exponents_i), .word_o(b_exponents)
    );
  end else begin : gen_no_exponents
    assign a_exponents = a_exponents_i;
    assign b_exponents = b_exponents_i;
  end

  for (genvar o = 0; o < OutLanes; o++) begin : gen_output
    logic [SubBlocks*AccWidth-1:0] aligned;
    logic signed [AccWidth-1:0] total, acc, acc_q;
    logic [2*AccWidth-1:0] terms;
    for (genvar s = 0; s < SubBlocks; s++) begin : gen_partial
      logic [SubLanes*ProductWidth-1:0] products;
      logic signed [PartialWidth-1:0] partial;
      for (genvar i = 0; i < SubLanes; i++) begin : gen_product
        logic signed [ProductWidth-1:0] product;
        dse_product #(.AWidth(AInteger), .ASigned(ASigned), .BWidth(BInteger), .BSigned(BSigned)) u_product (
          .a_i(decode_a(a[(s*SubLanes+i)*AWidth+:AWidth])),
          .b_i(decode_b(b[(o*InLanes+s*SubLanes+i)*BWidth+:BWidth])),
          .product_o(product)
        );
        dse_delay #(.Width(ProductWidth), .Cycles(32'(registered(ProductLevel)))) u_register (
          .clk_i(clk_i), .word_i(product), .word_o(products[i*ProductWidth+:ProductWidth])
        );
      end
      dse_adder_tree #(
        .Count(SubLanes), .Width(ProductWidth), .SumWidth(PartialWidth),
        .Registers(registers_of(PartialLevel, $clog2(SubLanes)))
      ) u_partial (
        .clk_i(clk_i), .words_i(products), .sum_o(partial)
      );
      if (Shifted) begin : gen_shift
        logic [AccWidth-1:0] half, half_aligned, whole;
        assign half = AccWidth'(partial) << a_exponents[s*(AExpWidth+1)+:AExpWidth+1];
        dse_delay #(.Width(AccWidth), .Cycles(32'(registered(ShiftLevel)))) u_half (
          .clk_i(clk_i), .word_i(half), .word_o(half_aligned)
        );
        assign whole = half_aligned << b_exponents[(o*SubBlocks+s)*(BExpWidth+1)+:BExpWidth+1];
        dse_delay #(.Width(AccWidth), .Cycles(32'(registered(ShiftLevel + 1)))) u_whole (
          .clk_i(clk_i), .word_i(whole), .word_o(aligned[s*AccWidth+:AccWidth])
        );
      end else begin : gen_no_shift
        assign aligned[s*AccWidth+:AccWidth] = AccWidth'(partial);
      end
    end
    dse_adder_tree #(
      .Count(SubBlocks), .Width(AccWidth), .SumWidth(AccWidth),
      .Registers(Shifted ? registers_of(TotalLevel, $clog2(SubBlocks)) : '0)
    ) u_total (
      .clk_i(clk_i), .words_i(aligned), .sum_o(total)
    );
    assign terms = {first_i ? start_i[o*AccWidth+:AccWidth] : acc_q, total};
    dse_adder_tree #(.Count(2), .Width(AccWidth), .SumWidth(AccWidth)) u_acc (
      .clk_i(clk_i), .words_i(terms), .sum_o(acc)
    );
    always_ff @(posedge clk_i) if (step_i) acc_q <= acc;

    dse_requantizer #(
      .Width(AccWidth), .ShiftWidth(ShiftWidth), .OutWidth(OutWidth), .Rounding(Rounding), .Overflow(Overflow),
      .ClampLow(ClampLow), .ClampHigh(ClampHigh), .Registers(2'(registers_of(ResultLevel, 2)))
    ) u_result (
      .clk_i(clk_i), .value_i(acc_q), .shift_i(shift_i[(SharedShift ? 0 : o)*ShiftWidth+:ShiftWidth]),
      .word_o(word_o[o*OutWidth+:OutWidth])
    );
  end

endmodule
