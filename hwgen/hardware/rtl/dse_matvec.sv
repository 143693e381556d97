`include "dse_memory.svh"
`include "dse_decode.svh"

/// Weight-stationary matrix-vector product: one vector of `InBlocks * InLanes` elements in, `OutBlocks * OutLanes` out.
///
/// `Groups` weight sets are used in turn, one per vector (grouped convolution, heads). One block of
/// `OutLanes * InLanes` products per cycle: a vector takes `InBlocks * OutBlocks` cycles, and the next one is loaded
/// meanwhile. The accumulator starts at the bias and is wide enough never to overflow; it is requantised at the end.
/// Elements decode to integers in front of the multipliers (`dse_decode.svh`). Shared-exponent operands add their block exponents to each partial sum as a left shift (exact).
/// The arithmetic is a pipeline that never stops, with `Stages` registers (`dse_stages.svh`); a block of outputs is
/// issued when the output has a place for it. Levels: the memories' words; the products; each level of the adder tree
/// over a partial sum; for exponents the two shifts and each level of the tree over the partial sums; the accumulator, which
/// has a register of its own; shift and rounding of the requantisation.
/// Every output is a function of registers only. Reset forgets all data in flight; memories are kept.
module dse_matvec #(
  parameter int unsigned InLanes       = 4,   // elements per input beat
  parameter int unsigned OutLanes      = 4,   // elements per output beat
  parameter int unsigned InBlocks      = 2,   // input beats per vector
  parameter int unsigned OutBlocks     = 2,   // output beats per vector
  parameter int unsigned Groups        = 1,   // weight sets used in turn
  parameter int unsigned InWidth       = 8,   // bits of an input element
  parameter bit          InSigned      = 1,   // of the integer that it decodes to
  parameter int unsigned InCode        = 0,   // how it is written, see dse_decode.svh
  parameter int unsigned InExpWidth    = 0,   // bits of an input block exponent, 0: integer input
  parameter int unsigned InSubBlocks   = 1,   // input exponents per beat
  parameter int unsigned WeightWidth   = 8,   // bits of a weight's element
  parameter bit          WeightSigned  = 1,   // of the integer that it decodes to
  parameter int unsigned WeightCode    = 0,   // how it is written, see dse_decode.svh
  parameter int unsigned WeightExpWidth = 0,  // bits of a weight block exponent, 0: integer weights
  parameter int unsigned SubBlocks     = 1,   // partial sums per beat, a multiple of InSubBlocks; weight exponents per lane
  parameter int unsigned AccWidth      = 24,  // accumulator bits
  parameter bit          SharedShift   = 1,   // one requantisation shift for all outputs
  parameter int unsigned ShiftWidth    = 5,   // bits of a requantisation shift
  parameter int unsigned OutWidth      = 8,   // bits of an output element
  parameter int unsigned Stages        = 0,   // registers within the arithmetic, at most Levels
  parameter int          Rounding      = 1,
  parameter int          Overflow      = 1,
  parameter longint      ClampLow      = -128,
  parameter longint      ClampHigh     = 127,
  parameter              WeightFile    = "",  // Groups*OutBlocks*InBlocks words of OutLanes*InLanes weights, input lane fastest
  parameter              WeightExpFile = "",  // as many words of OutLanes*SubBlocks exponents
  parameter              BiasFile      = "",  // Groups*OutBlocks words of OutLanes accumulators
  parameter              ShiftFile     = "",  // Groups*OutBlocks words of OutLanes shifts, or one shift
  localparam int unsigned InPayload    = InLanes * InWidth + InSubBlocks * InExpWidth,
  localparam int unsigned OutPayload   = OutLanes * OutWidth
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

  localparam int unsigned Steps       = InBlocks * OutBlocks;
  localparam int unsigned WeightDepth = Groups * Steps;
  localparam int unsigned BiasDepth   = Groups * OutBlocks;
  localparam int unsigned ShiftDepth  = SharedShift ? 1 : BiasDepth;
  localparam int unsigned ShiftLanes  = SharedShift ? 1 : OutLanes;
  localparam int unsigned InAddrWidth   = $clog2(2 * InBlocks);
  localparam int unsigned WeightAddrWidth = WeightDepth > 1 ? $clog2(WeightDepth) : 1;
  localparam int unsigned BiasAddrWidth = BiasDepth > 1 ? $clog2(BiasDepth) : 1;
  localparam int unsigned ShiftAddrWidth = ShiftDepth > 1 ? $clog2(ShiftDepth) : 1;
  localparam int unsigned InBlockWidth  = InBlocks > 1 ? $clog2(InBlocks) : 1;
  localparam int unsigned OutBlockWidth = OutBlocks > 1 ? $clog2(OutBlocks) : 1;
  localparam int unsigned SubLanes    = InLanes / SubBlocks;
  localparam bit          Shifted     = InExpWidth + WeightExpWidth > 0;
  localparam int unsigned RqWidth     = AccWidth;
  localparam int unsigned RqShiftWidth = ShiftWidth;
  // A plain C++ integer in simulation, trimmed to the accumulator by synthesis.
  localparam int unsigned SumWidth    = AccWidth > 32 ? 64 : 32;

  // Widths of the integers that elements decode to.
  localparam int unsigned InInteger     = `DSE_DECODED_WIDTH(InWidth, InCode);
  localparam int unsigned WeightInteger = `DSE_DECODED_WIDTH(WeightWidth, WeightCode);

  // Levels of the arithmetic, see dse_dot.
  localparam int unsigned Levels = 4 + $clog2(SubLanes) + (Shifted ? 2 + $clog2(SubBlocks) : 0);

  `include "dse_stages.svh"
  // Cycles from the words of the memories to the accumulator's input, and from a step's issue to its result. Simulation
  // adds up as soon as the memories are read, and hides the finished word as long as synthesis takes for it.
  localparam int unsigned Before = `DSE_READ(0, registers_until(Levels - 2));
  localparam int unsigned Way    = `DSE_READ(0, Stages) + 3;

`ifndef SYNTHESIS
  `include "dse_requantize.svh"
  `DSE_DECODE(decode_in, InWidth, InCode)
  `DSE_DECODE(decode_weight, WeightWidth, WeightCode)
`endif

  // The same text describes packed words to synthesis (block RAM) and arrays of elements to simulation (the compiler
  // vectorises the loops); indexing is the same. Simulation decodes the weights when it loads them.
`ifdef SYNTHESIS
  typedef logic [OutLanes*InLanes-1:0][WeightWidth-1:0] weight_word_t;
`else
  typedef logic [WeightInteger-1:0] weight_word_t[OutLanes*InLanes];
`endif
  typedef logic signed [AccWidth-1:0] acc_word_t[OutLanes];

  weight_word_t weight_memory[WeightDepth];
  // A bank is written again only after its last word was read.
  (* no_rw_check *) logic [InPayload-1:0] in_memory[2*InBlocks];
  logic [OutLanes*AccWidth-1:0] bias_memory[BiasDepth];
  logic [ShiftLanes*ShiftWidth-1:0] shift_memory[ShiftDepth];

`ifdef SYNTHESIS
  initial $readmemh(WeightFile, weight_memory);
`else
  // Digit by digit from the lowest one: $readmemh takes time in the square of a word's width.
  initial begin : gen_load_weights
    string file, line;
    int handle, characters, element, bits_held;
    logic [31:0] held, digit;
    file = WeightFile;
    if (file == "" && !$value$plusargs("weight=%s", file)) file = "";
    if (file != "") begin
      handle = $fopen(file, "r");
      if (handle == 0) $fatal(1, "cannot read %s", file);
      for (int d = 0; d < WeightDepth; d++) begin
        characters = $fgets(line, handle);
        element = 0;
        bits_held = 0;
        held = 0;
        for (int c = characters - 1; c >= 0; c--) begin
          digit = 32'(line[c]);
          if (digit >= 48) begin  // no end of line
            held |= (digit < 97 ? digit - 48 : digit - 87) << bits_held;  // 0 to 9, a to f
            bits_held += 4;
          end
          while (bits_held >= WeightWidth && element < OutLanes * InLanes) begin
            weight_memory[d][element] = decode_weight(held[WeightWidth-1:0]);
            held >>= WeightWidth;
            bits_held -= WeightWidth;
            element++;
          end
        end
        if (element < OutLanes * InLanes) $fatal(1, "%s: row %0d is cut short", file, d);
      end
      $fclose(handle);
    end
  end
`endif
  `DSE_LOAD_MEMORY(bias_memory, BiasFile, "bias")
  `DSE_LOAD_MEMORY(shift_memory, ShiftFile, "shift")

  // ---- Input side: two banks, one filling while the other is multiplied.
  logic [1:0] full_q;       // bank holds a whole vector
  logic [1:0] bank_last_q;  // that vector ends a sample
  logic fill_bank_q, use_bank_q;
  logic [InAddrWidth-1:0] fill_addr_q;
  logic [InBlockWidth-1:0] fill_block_q;
  logic push, fill_done, use_done, free;

  assign in_ready_o = !full_q[fill_bank_q];
  assign push       = in_valid_i && in_ready_o;
  assign fill_done  = push && fill_block_q == InBlockWidth'(InBlocks - 1);

  always_ff @(posedge clk_i) if (push) in_memory[fill_addr_q] <= in_payload_i;

  // ---- Step counters: the output block is the outer loop, the input block the inner one.
  logic issue, block_first, block_end;
  logic [InBlockWidth-1:0] in_block_q;
  logic [OutBlockWidth-1:0] out_block_q;
  logic [InAddrWidth-1:0] in_addr_q;
  logic [WeightAddrWidth-1:0] weight_addr_q;
  logic [BiasAddrWidth-1:0] block_q;  // output block over all groups

  assign issue       = full_q[use_bank_q] && (free || !block_end);
  assign block_first = in_block_q == '0;
  assign block_end   = in_block_q == InBlockWidth'(InBlocks - 1);
  assign use_done    = issue && block_end && out_block_q == OutBlockWidth'(OutBlocks - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      full_q <= '0;
      fill_bank_q <= 1'b0;
      use_bank_q <= 1'b0;
      fill_addr_q <= '0;
      fill_block_q <= '0;
    end else begin
      if (push) begin
        fill_block_q <= fill_done ? '0 : fill_block_q + 1'b1;
        fill_addr_q  <= fill_addr_q == InAddrWidth'(2 * InBlocks - 1) ? '0 : fill_addr_q + 1'b1;
      end
      if (fill_done) begin
        full_q[fill_bank_q] <= 1'b1;
        bank_last_q[fill_bank_q] <= in_last_i;
        fill_bank_q <= !fill_bank_q;
      end
      if (use_done) begin
        full_q[use_bank_q] <= 1'b0;
        use_bank_q <= !use_bank_q;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      in_block_q <= '0;
      out_block_q <= '0;
      in_addr_q <= '0;
      weight_addr_q <= '0;
      block_q <= '0;
    end else if (issue) begin
      in_block_q <= block_end ? '0 : in_block_q + 1'b1;
      weight_addr_q <= weight_addr_q == WeightAddrWidth'(WeightDepth - 1) ? '0 : weight_addr_q + 1'b1;
      in_addr_q <= in_addr_q + 1'b1;
      if (block_end) begin
        in_addr_q <= use_bank_q ? InAddrWidth'(InBlocks) : '0;
        block_q <= block_q == BiasAddrWidth'(BiasDepth - 1) ? '0 : block_q + 1'b1;
        out_block_q <= out_block_q + 1'b1;
      end
      if (use_done) begin
        in_addr_q <= use_bank_q ? '0 : InAddrWidth'(InBlocks);
        out_block_q <= '0;
      end
    end
  end

  // ---- Steps on their way: index 0 is issued in this cycle, index k was k cycles ago.
  logic [Before+1:0] way_valid, way_first;
  logic [Way-1:0] way_end, way_last;
  logic [Before+2:0][BiasAddrWidth-1:0] way_block;
  logic [Before:0] way_valid_q, way_first_q;
  logic [Way-2:0] way_end_q, way_last_q;
  logic [Before+1:0][BiasAddrWidth-1:0] way_block_q;

  assign way_valid = {way_valid_q, issue};
  assign way_first = {way_first_q, block_first};
  assign way_end  = {way_end_q, issue && block_end};
  assign way_last  = {way_last_q, use_done && bank_last_q[use_bank_q]};
  assign way_block = {way_block_q, block_q};

  always_ff @(posedge clk_i) begin
    way_valid_q <= rst_ni ? way_valid[Before:0] : '0;
    way_end_q  <= rst_ni ? way_end[Way-2:0] : '0;
    way_first_q <= way_first[Before:0];
    way_last_q  <= way_last[Way-2:0];
    way_block_q <= way_block[Before+1:0];
  end

  // ---- Arithmetic. The functions stay loops in the simulator's C++; the shifts of plain integers fold to nothing.
  localparam int unsigned ExponentBits = OutLanes * SubBlocks * (WeightExpWidth + 1);  // one spare bit each: never 0

  /// Exponent of partial sum `b` of an input beat; 0 for integers.
  function automatic logic [InExpWidth:0] in_exponent(input logic [InPayload-1:0] beat, input int b);
    logic [InExpWidth:0] exponent;
    exponent = '0;
    for (int k = 0; k < int'(InExpWidth); k++)
      exponent[k] = beat[InLanes*InWidth+(b*InSubBlocks/SubBlocks)*InExpWidth+k];
    return exponent;
  endfunction

  logic [OutPayload-1:0] out_word;
`ifdef SYNTHESIS
  // The words of this cycle's addresses, in the next one.
  weight_word_t weight_word_q;
  logic [InPayload-1:0] beat_q;
  logic [OutLanes*AccWidth-1:0] bias_word_q;
  logic [ShiftLanes*ShiftWidth-1:0] shift_word_q;
  logic [SubBlocks*(InExpWidth+1)-1:0] in_exponents;
  logic [ExponentBits-1:0] weight_exponents;

  always_ff @(posedge clk_i) begin
    weight_word_q <= weight_memory[weight_addr_q];
    beat_q <= in_memory[in_addr_q];
    bias_word_q <= bias_memory[way_block[Before]];
    shift_word_q <= shift_memory[SharedShift ? '0 : ShiftAddrWidth'(way_block[Before+1])];
  end

  for (genvar b = 0; b < SubBlocks; b++) begin : gen_in_exponent
    assign in_exponents[b*(InExpWidth+1)+:InExpWidth+1] = in_exponent(beat_q, b);
  end

  if (WeightExpWidth > 0) begin : gen_weight_exponents
    logic [OutLanes*SubBlocks*WeightExpWidth-1:0] exponent_memory[WeightDepth];
    logic [OutLanes*SubBlocks*WeightExpWidth-1:0] exponent_word_q;
    `DSE_LOAD_MEMORY(exponent_memory, WeightExpFile, "weight_exp")
    always_ff @(posedge clk_i) exponent_word_q <= exponent_memory[weight_addr_q];
    for (genvar b = 0; b < OutLanes * SubBlocks; b++) begin : gen_exponent
      assign weight_exponents[b*(WeightExpWidth+1)+:WeightExpWidth+1] =
          {1'b0, exponent_word_q[b*WeightExpWidth+:WeightExpWidth]};
    end
  end else begin : gen_no_weight_exponents
    assign weight_exponents = '0;
  end

  dse_dot #(
    .InLanes(InLanes), .OutLanes(OutLanes), .SubBlocks(SubBlocks),
    .AWidth(InWidth), .ASigned(InSigned), .ACode(InCode), .AExpWidth(InExpWidth),
    .BWidth(WeightWidth), .BSigned(WeightSigned), .BCode(WeightCode), .BExpWidth(WeightExpWidth),
    .AccWidth(AccWidth), .SharedShift(SharedShift), .ShiftWidth(ShiftWidth), .OutWidth(OutWidth),
    .Stages(Stages), .Levels(Levels),
    .Rounding(Rounding), .Overflow(Overflow), .ClampLow(ClampLow), .ClampHigh(ClampHigh)
  ) u_dot (
    .clk_i(clk_i), .a_i(beat_q[InLanes*InWidth-1:0]), .a_exponents_i(in_exponents),
    .b_i(weight_word_q), .b_exponents_i(weight_exponents),
    .step_i(way_valid[Before+1]), .first_i(way_first[Before+1]), .start_i(bias_word_q),
    .shift_i(shift_word_q), .word_o(out_word)
  );
`else
  acc_word_t acc_q;
  logic [ExponentBits-1:0] weight_exponents;
  logic [InAddrWidth-1:0] read_in_addr_q;
  logic [WeightAddrWidth-1:0] read_weight_addr_q;

  always_ff @(posedge clk_i) begin
    read_in_addr_q <= in_addr_q;
    read_weight_addr_q <= weight_addr_q;
  end

  if (WeightExpWidth > 0) begin : gen_weight_exponents
    logic [OutLanes*SubBlocks*WeightExpWidth-1:0] exponent_memory[WeightDepth];
    `DSE_LOAD_MEMORY(exponent_memory, WeightExpFile, "weight_exp")
    always_comb
      for (int b = 0; b < OutLanes * SubBlocks; b++)
        weight_exponents[b*(WeightExpWidth+1)+:WeightExpWidth+1] =
            {1'b0, exponent_memory[read_weight_addr_q][b*WeightExpWidth+:WeightExpWidth]};
  end else begin : gen_no_weight_exponents
    assign weight_exponents = '0;
  end

  function automatic acc_word_t multiply_accumulate(
      input acc_word_t acc, input logic [InPayload-1:0] beat, input weight_word_t w,
      input logic [OutLanes*SubBlocks*(WeightExpWidth+1)-1:0] w_exp, input logic [OutLanes*AccWidth-1:0] bias,
      input logic first);
    /* verilator no_inline_task */
    acc_word_t result;
    logic signed [SumWidth-1:0] x[InLanes];
    for (int i = 0; i < InLanes; i++) begin
      automatic logic [InInteger-1:0] element = decode_in(beat[i*InWidth+:InWidth]);
      x[i] = SumWidth'(signed'({InSigned & element[InInteger-1], element}));
    end
    for (int o = 0; o < OutLanes; o++) begin
      automatic logic signed [SumWidth-1:0] total = '0;
      if (InExpWidth + WeightExpWidth == 0) begin
        for (int i = 0; i < InLanes; i++)
          total = total + x[i] * SumWidth'(signed'({WeightSigned & w[o*InLanes+i][WeightInteger-1], w[o*InLanes+i]}));
      end else begin
        for (int b = 0; b < SubBlocks; b++) begin
          automatic logic signed [SumWidth-1:0] partial = '0;
          for (int i = b * SubLanes; i < (b + 1) * SubLanes; i++)
            partial = partial
                + x[i] * SumWidth'(signed'({WeightSigned & w[o*InLanes+i][WeightInteger-1], w[o*InLanes+i]}));
          total = total + ((partial << in_exponent(beat, b))
                           << w_exp[(o*SubBlocks+b)*(WeightExpWidth+1)+:WeightExpWidth+1]);
        end
      end
      result[o] = AccWidth'(total) + (first ? signed'(bias[o*AccWidth+:AccWidth]) : acc[o]);
    end
    return result;
  endfunction

  always_ff @(posedge clk_i) begin
    if (way_valid[1])
      acc_q <= multiply_accumulate(acc_q, in_memory[read_in_addr_q], weight_memory[read_weight_addr_q],
                                   weight_exponents, bias_memory[way_block[1]], way_first[1]);
  end

  function automatic logic [OutPayload-1:0] requantize_word(
      input acc_word_t acc, input logic [ShiftLanes*ShiftWidth-1:0] shifts);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    for (int o = 0; o < OutLanes; o++)
      word[o*OutWidth+:OutWidth] = requantize(acc[o], shifts[(SharedShift ? 0 : o)*ShiftWidth+:ShiftWidth]);
    return word;
  endfunction

  always_comb begin
    out_word = '0;
    if (way_end[2]) out_word = requantize_word(acc_q, shift_memory[SharedShift ? '0 : ShiftAddrWidth'(way_block[2])]);
  end
`endif

  dse_credit_fifo #(
    .Width(OutPayload), .Depth(places(Stages + 4, InBlocks, 1)), .Delay(`DSE_READ(Stages, 0))
  ) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .reserve_i(issue && block_end), .free_o(free),
    .push_i(way_end[Way-1]), .payload_i(out_word), .last_i(way_last[Way-1]),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
