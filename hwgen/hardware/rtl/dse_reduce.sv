`include "dse_memory.svh"
`include "dse_decode.svh"

/// Reduction of `Kernel` beats to one, lane by lane: pooling and depthwise convolution.
///
/// Mode 0 takes the maximum; mode 1 the sum, times a multiplier of the output token (average pooling); mode 2 the
/// weighted sum plus a bias (depthwise convolution). The result is requantised. Elements are decoded to integers
/// (`dse_decode.svh`), and those of a shared-exponent stream shifted left by their exponent (exact).
/// Behind a window the beats of one kernel follow one another (`Whole` = 0). `Whole` = 1 reduces a whole sample without
/// a window: the `Blocks` beats of a pixel go to their own accumulators, and the last pixel sends them all.
/// One beat in per cycle; latency from the last beat of a kernel to its result 4 cycles, 5 in mode 1. Every output is a
/// function of registers only. Reset forgets all data in flight; memories are kept.
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
  // A plain C++ integer in simulation, trimmed to the accumulator by synthesis.
  localparam int unsigned SumWidth     = AccWidth > 32 ? 64 : 32;

  localparam int unsigned InInteger    = `DSE_DECODED_WIDTH(InWidth, InCode);

  `include "dse_requantize.svh"
  `DSE_DECODE(decode_in, InWidth, InCode)

  // Packed words for synthesis (memories), arrays of elements for simulation (vectorised loops); indexing is the same.
`ifdef SYNTHESIS
  typedef logic [Lanes-1:0][WeightWidth-1:0] weight_word_t;
  typedef logic signed [Lanes-1:0][AccWidth-1:0] acc_word_t;
  typedef logic signed [Lanes-1:0][RqWidth-1:0] value_word_t;
`else
  typedef logic [WeightWidth-1:0] weight_word_t[Lanes];
  typedef logic [AccWidth-1:0] acc_word_t[Lanes];
  typedef logic [RqWidth-1:0] value_word_t[Lanes];
`endif

  logic [ShiftLanes*ShiftWidth-1:0] shift_memory[ShiftDepth];
  `DSE_LOAD_MEMORY(shift_memory, ShiftFile, "shift")

  // ---- Input register and position: `block_q` and `kernel_q` are those of the beat that comes next.
  logic stall, push, x_valid_q, x_first_q, x_end_q, x_last_q, sum_valid_q, sum_last_q, block_end, kernel_end;
  logic [InPayload-1:0] x_q;
  logic [BlockWidth-1:0] block_q, x_block_q, sum_block_q;
  logic [KernelWidth-1:0] kernel_q;

  assign in_ready_o = !stall;
  assign push       = in_valid_i && in_ready_o;
  assign block_end  = block_q == BlockWidth'(Blocks - 1);
  assign kernel_end = kernel_q == KernelWidth'(Kernel - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      block_q <= '0;
      kernel_q <= '0;
      x_valid_q <= 1'b0;
      sum_valid_q <= 1'b0;
    end else if (!stall) begin
      x_valid_q <= push;
      sum_valid_q <= x_valid_q && x_end_q;
      if (push) begin
        if (!Whole || block_end) kernel_q <= kernel_end ? '0 : kernel_q + 1'b1;
        if (Whole || kernel_end) block_q <= block_end ? '0 : block_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!stall) begin
      x_q <= in_payload_i;
      x_block_q <= block_q;
      x_first_q <= kernel_q == '0;
      x_end_q <= kernel_end;
      x_last_q <= in_last_i;
      sum_block_q <= x_block_q;
      sum_last_q <= x_last_q;
    end
  end

  // ---- Weights and biases of mode 2.
  weight_word_t weights;
  logic [Lanes*AccWidth-1:0] biases;

  if (Mode == Depthwise) begin : gen_weights
    weight_word_t weight_memory[WeightDepth];
    logic [Lanes*AccWidth-1:0] bias_memory[Blocks];
    logic [WeightAddrWidth-1:0] weight_addr_next_q;

`ifdef SYNTHESIS
    initial $readmemh(WeightFile, weight_memory);
`else
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
`endif
    `DSE_LOAD_MEMORY(bias_memory, BiasFile, "bias")

    always_ff @(posedge clk_i) begin
      if (!rst_ni) weight_addr_next_q <= '0;
      else if (push)
        weight_addr_next_q <= weight_addr_next_q == WeightAddrWidth'(WeightDepth - 1) ? '0 : weight_addr_next_q + 1'b1;
    end
`ifdef SYNTHESIS
    // In logic, the enable of an address register would cost a multiplexer a bit.
    always_ff @(posedge clk_i) begin
      if (!stall) begin
        weights <= weight_memory[weight_addr_next_q];
        biases <= bias_memory[block_q];
      end
    end
`else
    logic [WeightAddrWidth-1:0] weight_addr_q;
    always_ff @(posedge clk_i) if (!stall) weight_addr_q <= weight_addr_next_q;
    assign weights = weight_memory[weight_addr_q];
    assign biases  = bias_memory[x_block_q];
`endif
  end else begin : gen_no_weights
    always_comb for (int i = 0; i < Lanes; i++) weights[i] = '0;
    assign biases = '0;
  end

  // ---- Accumulate.
`ifdef SYNTHESIS
  // What the function takes for a lane: the product here, the weight in simulation.
  typedef logic signed [Lanes-1:0][InInteger+WeightWidth:0] factor_word_t;
  factor_word_t factors;
  for (genvar i = 0; i < Lanes; i++) begin : gen_product
    dse_product #(.AWidth(InInteger), .ASigned(InSigned), .BWidth(WeightWidth), .BSigned(WeightSigned)) u_product (
      .a_i(decode_in(x_q[i*InWidth+:InWidth])), .b_i(weights[i]), .product_o(factors[i])
    );
  end
`else
  typedef weight_word_t factor_word_t;
  factor_word_t factors;
  assign factors = weights;
`endif
  /// Exponent of lane `i` of an input beat; 0 for integers.
  function automatic logic [InExpWidth:0] exponent(input logic [InPayload-1:0] beat, input int i);
    logic [InExpWidth:0] bits;
    bits = '0;
    for (int k = 0; k < int'(InExpWidth); k++) bits[k] = beat[Lanes*InWidth+(i/SubLanes)*InExpWidth+k];
    return bits;
  endfunction

  function automatic acc_word_t accumulate(
      input acc_word_t acc, input logic [InPayload-1:0] x, input factor_word_t w,
      input logic [Lanes*AccWidth-1:0] bias, input logic first);
    /* verilator no_inline_task */
    acc_word_t result;
    for (int i = 0; i < Lanes; i++) begin
      automatic logic [InInteger-1:0] element = decode_in(x[i*InWidth+:InWidth]);
      automatic logic signed [SumWidth-1:0] value = SumWidth'(signed'({InSigned & element[InInteger-1], element}));
      automatic logic signed [SumWidth-1:0] previous = SumWidth'(signed'(acc[i]));
      // The product of the mantissas is the smaller one: aligned after it.
      if (Mode == Depthwise)
        value = `DSE_READ(value * SumWidth'(signed'({WeightSigned & w[i][WeightWidth-1], w[i]})),
                          SumWidth'(signed'(w[i])));
      if (InExpWidth > 0) value = value << exponent(x, i);
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
      if (x_valid_q && !stall) begin
        automatic acc_word_t next = accumulate(acc_memory[x_block_q], x_q, factors, biases, x_first_q);
        acc_memory[x_block_q] <= next;
        acc_q <= next;
      end
    end
  end else begin : gen_window
    always_ff @(posedge clk_i)
      if (x_valid_q && !stall) acc_q <= accumulate(acc_q, x_q, factors, biases, x_first_q);
  end

  // ---- Scale: only the average has a multiplier, in a cycle of its own.
  value_word_t value;
  logic value_valid, value_last;
  logic [BlockWidth-1:0] value_block;

  if (Mode == Average) begin : gen_scale
    logic [MultWidth-1:0] multiplier_memory[MultDepth];
    logic [MultAddrWidth-1:0] token_q;
    value_word_t value_q;
    logic value_valid_q, value_last_q;
    logic [BlockWidth-1:0] value_block_q;
    `DSE_LOAD_MEMORY(multiplier_memory, MultiplierFile, "multiplier")

    function automatic value_word_t scale(input acc_word_t acc, input logic [MultWidth-1:0] multiplier);
      /* verilator no_inline_task */
      value_word_t result;
      for (int i = 0; i < Lanes; i++) result[i] = RqWidth'(signed'(acc[i])) * RqWidth'(signed'({1'b0, multiplier}));
      return result;
    endfunction

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        value_valid_q <= 1'b0;
        token_q <= '0;
      end else if (!stall) begin
        value_valid_q <= sum_valid_q;
        if (sum_valid_q && sum_block_q == BlockWidth'(Blocks - 1))
          token_q <= token_q == MultAddrWidth'(MultDepth - 1) ? '0 : token_q + 1'b1;
      end
      if (!stall && sum_valid_q) begin
        value_q <= scale(acc_q, multiplier_memory[token_q]);
        value_last_q <= sum_last_q;
        value_block_q <= sum_block_q;
      end
    end
    assign value = value_q;
    assign value_valid = value_valid_q;
    assign value_last = value_last_q;
    assign value_block = value_block_q;
  end else begin : gen_no_scale
    assign value = acc_q;
    assign value_valid = sum_valid_q;
    assign value_last = sum_last_q;
    assign value_block = sum_block_q;
  end

  // ---- Requantise into the result register, then the spill register whose ready is a register.
  function automatic logic [OutPayload-1:0] requantize_word(
      input value_word_t values, input logic [ShiftLanes*ShiftWidth-1:0] shifts);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    for (int i = 0; i < Lanes; i++)
      word[i*OutWidth+:OutWidth] = requantize(signed'(values[i]), shifts[(SharedShift ? 0 : i)*ShiftWidth+:ShiftWidth]);
    return word;
  endfunction

  logic result_valid_q, result_last_q, result_ready;
  logic [OutPayload-1:0] result_q;

  assign stall = result_valid_q && !result_ready;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) result_valid_q <= 1'b0;
    else if (!stall) result_valid_q <= value_valid;
    if (!stall && value_valid) begin
      result_q <= requantize_word(value, shift_memory[SharedShift ? '0 : ShiftAddrWidth'(value_block)]);
      result_last_q <= value_last;
    end
  end

  dse_spill_register #(.Width(OutPayload)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(result_valid_q), .in_ready_o(result_ready), .in_payload_i(result_q), .in_last_i(result_last_q),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
