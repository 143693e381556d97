`include "dse_memory.svh"
`include "dse_decode.svh"

/// Reduction of `Kernel` beats to one, lane by lane: pooling and depthwise convolution.
///
/// Mode 0 takes the maximum; mode 1 the sum, times a multiplier of the output token (average pooling); mode 2 the
/// weighted sum plus a bias (depthwise convolution). The result is requantised. Elements are decoded to integers
/// (`dse_decode.svh`), and those of a shared-exponent stream shifted left by their exponent (exact).
/// Behind a window the beats of one kernel follow one another (`Whole` = 0). `Whole` = 1 reduces a whole sample without
/// a window: the `Blocks` beats of a pixel go to their own accumulators, and the last pixel sends them all.
/// The arithmetic is a pipeline that never stops, with `Stages` registers (`dse_stages.svh`); the beat that completes a
/// result is taken when the output has a place for it.
/// One beat in per cycle; latency from the last beat of a kernel to its result 4 + Stages cycles, 1 more in mode 1. Every
/// output is a function of registers only. Reset forgets all data in flight; memories are kept.
module dse_reduce #(
  parameter int unsigned Mode         = 0,   // 0 maximum, 1 average, 2 depthwise
  parameter bit          Whole        = 0,
  parameter int unsigned Lanes        = 4,   // elements per beat
  parameter int unsigned Blocks       = 2,   // output beats per token
  parameter int unsigned Kernel       = 9,   // beats that make one
  parameter int unsigned InWidth      = 8,   // bits of an input element
  parameter bit          InSigned     = 1,   // of the integer that it decodes to
  parameter int unsigned InCode       = 0,   // how it is written, see dse_decode.svh
  parameter int unsigned InExpWidth   = 0,   // bits of an input block exponent, 0: integer input
  parameter int unsigned InSubBlocks  = 1,   // input exponents per beat
  parameter int unsigned WeightWidth  = 8,   // mode 2: bits of a weight
  parameter bit          WeightSigned = 1,
  parameter int unsigned MultWidth    = 16,  // mode 1: bits of an unsigned multiplier
  parameter int unsigned MultDepth    = 1,   // mode 1: multipliers, one or as many as output tokens
  parameter int unsigned AccWidth     = 24,  // accumulator bits
  parameter bit          SharedShift  = 1,   // one requantisation shift for all outputs
  parameter int unsigned ShiftWidth   = 5,   // bits of a requantisation shift
  parameter int unsigned OutWidth     = 8,   // bits of an output element
  parameter int unsigned Stages       = 0,   // registers within the arithmetic, at most Levels
  parameter int          Rounding     = 1,
  parameter int          Overflow     = 1,
  parameter longint      ClampLow     = -128,
  parameter longint      ClampHigh    = 127,
  parameter              WeightFile     = "",  // Blocks*Kernel words of Lanes weights in the order of the input beats
  parameter              BiasFile       = "",  // Blocks words of Lanes accumulators
  parameter              MultiplierFile = "",  // MultDepth multipliers
  parameter              ShiftFile      = "",  // Blocks words of Lanes shifts, or one shift
  localparam int unsigned InPayload   = Lanes * InWidth + InSubBlocks * InExpWidth,
  localparam int unsigned OutPayload  = Lanes * OutWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  in_valid_i,
  output logic                  in_ready_o,
  input  logic [InPayload-1:0]  in_payload_i,  // exponents above the elements
  input  logic                  in_last_i,     // last beat of a sample
  output logic                  out_valid_o,
  input  logic                  out_ready_i,
  output logic [OutPayload-1:0] out_payload_o,
  output logic                  out_last_o
);

  localparam int unsigned Average   = 1;
  localparam int unsigned Depthwise = 2;

  localparam int unsigned SubLanes    = Lanes / InSubBlocks;
  localparam int unsigned WeightDepth = Blocks * Kernel;
  localparam int unsigned ShiftDepth  = SharedShift ? 1 : Blocks;
  localparam int unsigned ShiftLanes  = SharedShift ? 1 : Lanes;
  localparam int unsigned BlockWidth  = Blocks > 1 ? $clog2(Blocks) : 1;
  localparam int unsigned KernelWidth = Kernel > 1 ? $clog2(Kernel) : 1;
  localparam int unsigned WeightAddrWidth = WeightDepth > 1 ? $clog2(WeightDepth) : 1;
  localparam int unsigned ShiftAddrWidth  = ShiftDepth > 1 ? $clog2(ShiftDepth) : 1;
  localparam int unsigned MultAddrWidth   = MultDepth > 1 ? $clog2(MultDepth) : 1;
  // Value before requantisation: s(AccWidth), or s(AccWidth + MultWidth) after the multiplier.
  localparam int unsigned RqWidth      = Mode == Average ? AccWidth + MultWidth : AccWidth;
  localparam int unsigned RqShiftWidth = ShiftWidth;
  localparam int unsigned Scaled       = Mode == Average ? 1 : 0;  // cycles of the multiplier

  // Levels of the arithmetic, see dse_reduce_lane.
  localparam int unsigned Levels       = (Mode == Depthwise ? 2 : 0) + (InExpWidth > 0 ? 1 : 0) + 2;

  `include "dse_stages.svh"
  // Cycles from the input register to the accumulator's input, and from a beat's arrival to its result. Simulation
  // accumulates at once and hides the finished word as long as synthesis takes for it.
  localparam int unsigned Before = `DSE_READ(0, registers_until(Levels - 2));
  localparam int unsigned Way    = `DSE_READ(0, Stages) + Scaled + 3;

  logic [ShiftLanes*ShiftWidth-1:0] shift_memory[ShiftDepth];
  `DSE_LOAD_MEMORY(shift_memory, ShiftFile, "shift")

  // ---- Position of the beat that comes next.
  logic free, push, block_end, kernel_end;
  logic [BlockWidth-1:0] block_q;
  logic [KernelWidth-1:0] kernel_q;

  assign in_ready_o = free || !kernel_end;
  assign push       = in_valid_i && in_ready_o;
  assign block_end  = block_q == BlockWidth'(Blocks - 1);
  assign kernel_end = kernel_q == KernelWidth'(Kernel - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      block_q <= '0;
      kernel_q <= '0;
    end else if (push) begin
      if (!Whole || block_end) kernel_q <= kernel_end ? '0 : kernel_q + 1'b1;
      if (Whole || kernel_end) block_q <= block_end ? '0 : block_q + 1'b1;
    end
  end

  // ---- Beats on their way: index 0 arrives in this cycle, index k did k cycles ago.
  logic [Before+1:0] way_valid, way_first;
  logic [Way-1:0] way_end, way_last;
  logic [Before+Scaled+2:0][BlockWidth-1:0] way_block;
  logic [Before:0] way_valid_q, way_first_q;
  logic [Way-2:0] way_end_q, way_last_q;
  logic [Before+Scaled+1:0][BlockWidth-1:0] way_block_q;

  assign way_valid = {way_valid_q, push};
  assign way_first = {way_first_q, kernel_q == '0};
  assign way_end   = {way_end_q, push && kernel_end};
  assign way_last  = {way_last_q, in_last_i};
  assign way_block = {way_block_q, block_q};

  always_ff @(posedge clk_i) begin
    way_valid_q <= rst_ni ? way_valid[Before:0] : '0;
    way_end_q   <= rst_ni ? way_end[Way-2:0] : '0;
    way_first_q <= way_first[Before:0];
    way_last_q  <= way_last[Way-2:0];
    way_block_q <= way_block[Before+Scaled+1:0];
  end

  logic [InPayload-1:0] x_q;
  always_ff @(posedge clk_i) x_q <= in_payload_i;

  logic [WeightAddrWidth-1:0] weight_addr_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) weight_addr_q <= '0;
    else if (push) weight_addr_q <= weight_addr_q == WeightAddrWidth'(WeightDepth - 1) ? '0 : weight_addr_q + 1'b1;
  end

  // ---- Multiplier of mode 1, by output token.
  logic [MultWidth-1:0] multiplier_q;
  if (Mode == Average) begin : gen_multiplier
    logic [MultWidth-1:0] multiplier_memory[MultDepth];
    logic [MultAddrWidth-1:0] token_q;
    `DSE_LOAD_MEMORY(multiplier_memory, MultiplierFile, "multiplier")

    always_ff @(posedge clk_i) begin
      multiplier_q <= multiplier_memory[token_q];
      if (!rst_ni) token_q <= '0;
      else if (way_end[Before+1] && way_block[Before+1] == BlockWidth'(Blocks - 1))
        token_q <= token_q == MultAddrWidth'(MultDepth - 1) ? '0 : token_q + 1'b1;
    end
  end else begin : gen_no_multiplier
    logic [MultWidth-1:0] unused_multiplier;
    assign multiplier_q = '0;
    assign unused_multiplier = multiplier_q;
  end

  /// Exponent of lane `i` of an input beat; 0 for integers.
  function automatic logic [InExpWidth:0] exponent_of(input logic [InPayload-1:0] beat, input int i);
    logic [InExpWidth:0] bits;
    bits = '0;
    for (int k = 0; k < int'(InExpWidth); k++) bits[k] = beat[Lanes*InWidth+(i/SubLanes)*InExpWidth+k];
    return bits;
  endfunction

  logic [OutPayload-1:0] out_word;
`ifdef SYNTHESIS
  // ---- The words of this cycle's addresses, in the next one.
  logic [Lanes*WeightWidth-1:0] weight_word;
  logic [Lanes*AccWidth-1:0] bias_word, held_word, sums;
  logic [ShiftLanes*ShiftWidth-1:0] shift_word_q;

  always_ff @(posedge clk_i) shift_word_q <= shift_memory[SharedShift ? '0 : ShiftAddrWidth'(way_block[Before+Scaled+1])];

  if (Mode == Depthwise) begin : gen_weights
    logic [Lanes*WeightWidth-1:0] weight_memory[WeightDepth];
    logic [Lanes*AccWidth-1:0] bias_memory[Blocks];
    logic [Lanes*WeightWidth-1:0] weight_word_q;
    logic [Lanes*AccWidth-1:0] bias_word_q;
    `DSE_LOAD_MEMORY(weight_memory, WeightFile, "weight")
    `DSE_LOAD_MEMORY(bias_memory, BiasFile, "bias")
    always_ff @(posedge clk_i) begin
      weight_word_q <= weight_memory[weight_addr_q];
      bias_word_q <= bias_memory[way_block[Before]];
    end
    assign weight_word = weight_word_q;
    assign bias_word = bias_word_q;
  end else begin : gen_no_weights
    assign weight_word = '0;
    assign bias_word = '0;
  end

  if (Whole && Blocks > 1) begin : gen_whole
    // A block comes again after all others: its sum has been written when it is read, never in the same cycle.
    (* no_rw_check *) logic [Lanes*AccWidth-1:0] acc_memory[Blocks];
    logic [Lanes*AccWidth-1:0] held_word_q;
    always_ff @(posedge clk_i) begin
      held_word_q <= acc_memory[way_block[Before]];
      if (way_valid[Before+1]) acc_memory[way_block[Before+1]] <= sums;
    end
    assign held_word = held_word_q;
  end else begin : gen_window
    assign held_word = '0;
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    dse_reduce_lane #(
      .Mode(Mode), .Stored(Whole && Blocks > 1), .InWidth(InWidth), .InSigned(InSigned), .InCode(InCode),
      .InExpWidth(InExpWidth), .WeightWidth(WeightWidth), .WeightSigned(WeightSigned), .MultWidth(MultWidth),
      .AccWidth(AccWidth), .RqWidth(RqWidth), .ShiftWidth(ShiftWidth), .OutWidth(OutWidth),
      .Stages(Stages), .Levels(Levels),
      .Rounding(Rounding), .Overflow(Overflow), .ClampLow(ClampLow), .ClampHigh(ClampHigh)
    ) u_lane (
      .clk_i(clk_i), .element_i(x_q[i*InWidth+:InWidth]), .exponent_i(exponent_of(x_q, i)),
      .weight_i(weight_word[i*WeightWidth+:WeightWidth]),
      .step_i(way_valid[Before+1]), .first_i(way_first[Before+1]), .start_i(bias_word[i*AccWidth+:AccWidth]),
      .held_i(held_word[i*AccWidth+:AccWidth]), .sum_o(sums[i*AccWidth+:AccWidth]), .multiplier_i(multiplier_q),
      .shift_i(shift_word_q[(SharedShift ? 0 : i)*ShiftWidth+:ShiftWidth]), .word_o(out_word[i*OutWidth+:OutWidth])
    );
  end
`else
  // ---- Arrays of elements: the compiler vectorises the loops.
  `include "dse_requantize.svh"
  // A plain C++ integer.
  localparam int unsigned SumWidth  = AccWidth > 32 ? 64 : 32;
  localparam int unsigned InInteger = `DSE_DECODED_WIDTH(InWidth, InCode);
  `DSE_DECODE(decode_in, InWidth, InCode)

  typedef logic [WeightWidth-1:0] weight_word_t[Lanes];
  typedef logic [AccWidth-1:0] acc_word_t[Lanes];
  typedef logic [RqWidth-1:0] value_word_t[Lanes];

  weight_word_t weights;
  logic [Lanes*AccWidth-1:0] biases;

  if (Mode == Depthwise) begin : gen_weights
    weight_word_t weight_memory[WeightDepth];
    logic [Lanes*AccWidth-1:0] bias_memory[Blocks];
    logic [WeightAddrWidth-1:0] read_weight_addr_q;

    initial begin : gen_load_weights
      string file;
      logic [Lanes*WeightWidth-1:0] image[WeightDepth];
      file = WeightFile;
      if (file == "" && !$value$plusargs("weight=%s", file)) file = "";
      if (file != "") begin
        $readmemh(file, image);
        for (int d = 0; d < WeightDepth; d++)
          for (int i = 0; i < Lanes; i++) weight_memory[d][i] = image[d][i*WeightWidth+:WeightWidth];
      end
    end
    `DSE_LOAD_MEMORY(bias_memory, BiasFile, "bias")

    always_ff @(posedge clk_i) read_weight_addr_q <= weight_addr_q;
    assign weights = weight_memory[read_weight_addr_q];
    assign biases  = bias_memory[way_block[1]];
  end else begin : gen_no_weights
    always_comb for (int i = 0; i < Lanes; i++) weights[i] = '0;
    assign biases = '0;
  end

  function automatic acc_word_t accumulate(
      input acc_word_t acc, input logic [InPayload-1:0] x, input weight_word_t w,
      input logic [Lanes*AccWidth-1:0] bias, input logic first);
    /* verilator no_inline_task */
    acc_word_t result;
    for (int i = 0; i < Lanes; i++) begin
      automatic logic [InInteger-1:0] element = decode_in(x[i*InWidth+:InWidth]);
      automatic logic signed [SumWidth-1:0] value = SumWidth'(signed'({InSigned & element[InInteger-1], element}));
      automatic logic signed [SumWidth-1:0] previous = SumWidth'(signed'(acc[i]));
      // The product of the mantissas is the smaller one: aligned after it.
      if (Mode == Depthwise)
        value = value * SumWidth'(signed'({WeightSigned & w[i][WeightWidth-1], w[i]}));
      if (InExpWidth > 0) value = value << exponent_of(x, i);
      if (Mode == Depthwise) begin
        previous = first ? SumWidth'(signed'(bias[i*AccWidth+:AccWidth])) : previous;
        value = previous + value;
      end else if (!first) begin
        if (Mode == Average) value = previous + value;
        else value = previous > value ? previous : value;
      end
      result[i] = AccWidth'(value);
    end
    return result;
  endfunction

  acc_word_t acc_q;

  if (Whole) begin : gen_whole
    acc_word_t acc_memory[Blocks];
    always_ff @(posedge clk_i) begin
      if (way_valid[1]) begin
        automatic acc_word_t next = accumulate(acc_memory[way_block[1]], x_q, weights, biases, way_first[1]);
        acc_memory[way_block[1]] <= next;
        acc_q <= next;
      end
    end
  end else begin : gen_window
    always_ff @(posedge clk_i) if (way_valid[1]) acc_q <= accumulate(acc_q, x_q, weights, biases, way_first[1]);
  end

  // Only the average has a multiplier, in a cycle of its own.
  value_word_t value;
  if (Mode == Average) begin : gen_scale
    value_word_t value_q;

    function automatic value_word_t scale(input acc_word_t acc, input logic [MultWidth-1:0] multiplier);
      /* verilator no_inline_task */
      value_word_t result;
      for (int i = 0; i < Lanes; i++) result[i] = RqWidth'(signed'(acc[i])) * RqWidth'(signed'({1'b0, multiplier}));
      return result;
    endfunction

    always_ff @(posedge clk_i) if (way_end[2]) value_q <= scale(acc_q, multiplier_q);
    assign value = value_q;
  end else begin : gen_no_scale
    assign value = acc_q;
  end

  function automatic logic [OutPayload-1:0] requantize_word(
      input value_word_t values, input logic [ShiftLanes*ShiftWidth-1:0] shifts);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    for (int i = 0; i < Lanes; i++)
      word[i*OutWidth+:OutWidth] = requantize(signed'(values[i]), shifts[(SharedShift ? 0 : i)*ShiftWidth+:ShiftWidth]);
    return word;
  endfunction

  always_comb begin
    out_word = '0;
    if (way_end[Way-1])
      out_word = requantize_word(value, shift_memory[SharedShift ? '0 : ShiftAddrWidth'(way_block[Way-1])]);
  end
`endif

  dse_credit_fifo #(
    .Width(OutPayload), .Depth(places(Stages + Scaled + 4, Kernel * (Whole ? Blocks : 1), Whole ? Blocks : 1)),
    .Delay(`DSE_READ(Stages, 0))
  ) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .reserve_i(push && kernel_end), .free_o(free),
    .push_i(way_end[Way-1]), .payload_i(out_word), .last_i(way_last[Way-1]),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
