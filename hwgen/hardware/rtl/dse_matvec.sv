`include "dse_memory.svh"
`include "dse_decode.svh"

/// Weight-stationary matrix-vector product: one vector of `InBlocks * InLanes` elements in, `OutBlocks * OutLanes` out.
///
/// `Groups` weight sets are used in turn, one per vector (grouped convolution, heads). One block of
/// `OutLanes * InLanes` products per cycle: a vector takes `InBlocks * OutBlocks` cycles, and the next one is loaded
/// meanwhile. The accumulator starts at the bias and is wide enough never to overflow; it is requantised at the end.
/// Elements decode to integers in front of the multipliers (`dse_decode.svh`). Shared-exponent operands add their block exponents to each partial sum as a left shift (exact).
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
  localparam int unsigned RqWidth     = AccWidth;
  localparam int unsigned RqShiftWidth = ShiftWidth;
  // A plain C++ integer in simulation, trimmed to the accumulator by synthesis.
  localparam int unsigned SumWidth    = AccWidth > 32 ? 64 : 32;

  // Widths of the integers that elements decode to.
  localparam int unsigned InInteger     = `DSE_DECODED_WIDTH(InWidth, InCode);
  localparam int unsigned WeightInteger = `DSE_DECODED_WIDTH(WeightWidth, WeightCode);

  `include "dse_requantize.svh"
  `DSE_DECODE(decode_in, InWidth, InCode)
  `DSE_DECODE(decode_weight, WeightWidth, WeightCode)

  // The same text describes packed words to synthesis (block RAM) and arrays of elements to simulation (the compiler
  // vectorises the loops); indexing is the same. Simulation decodes the weights when it loads them.
`ifdef SYNTHESIS
  typedef logic [OutLanes*InLanes-1:0][WeightWidth-1:0] weight_word_t;
`else
  typedef logic [WeightInteger-1:0] weight_word_t[OutLanes*InLanes];
`endif
  typedef logic signed [AccWidth-1:0] acc_word_t[OutLanes];

  weight_word_t weight_memory[WeightDepth];
  logic [InPayload-1:0]             in_memory   [2*InBlocks];
  logic [OutLanes*AccWidth-1:0]     bias_memory [BiasDepth];
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
  logic stall, push, fill_done, use_done;

  // While the pipeline is held, its oldest step still reads a bank that was released when that step was issued.
  assign in_ready_o = !full_q[fill_bank_q] && !stall;
  assign push       = in_valid_i && in_ready_o;
  assign fill_done  = push && fill_block_q == InBlockWidth'(InBlocks - 1);

  always_ff @(posedge clk_i) if (push) in_memory[fill_addr_q] <= in_payload_i;

  // ---- Step counters: the output block is the outer loop, the input block the inner one.
  logic issue, acc_valid_q, acc_first_q, acc_end_q, acc_last_q, sum_valid_q, sum_last_q;
  logic [InBlockWidth-1:0] in_block_q;
  logic [OutBlockWidth-1:0] out_block_q;
  logic [InAddrWidth-1:0] in_addr_q, in_addr_next_q;
  logic [WeightAddrWidth-1:0] weight_addr_q, weight_addr_next_q;
  logic [BiasAddrWidth-1:0] bias_addr_q, bias_addr_next_q;
  logic [ShiftAddrWidth-1:0] shift_addr_q;
  logic block_end;

  assign issue     = full_q[use_bank_q] && !stall;
  assign block_end = in_block_q == InBlockWidth'(InBlocks - 1);
  assign use_done  = issue && block_end && out_block_q == OutBlockWidth'(OutBlocks - 1);

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
      in_addr_next_q <= '0;
      weight_addr_next_q <= '0;
      bias_addr_next_q <= '0;
      acc_valid_q <= 1'b0;
      sum_valid_q <= 1'b0;
    end else if (!stall) begin
      acc_valid_q <= issue;
      sum_valid_q <= acc_valid_q && acc_end_q;
      if (issue) begin
        in_block_q <= block_end ? '0 : in_block_q + 1'b1;
        weight_addr_next_q <= weight_addr_next_q == WeightAddrWidth'(WeightDepth - 1) ? '0 : weight_addr_next_q + 1'b1;
        in_addr_next_q <= in_addr_next_q + 1'b1;
        if (block_end) begin
          in_addr_next_q <= use_bank_q ? InAddrWidth'(InBlocks) : '0;
          bias_addr_next_q <= bias_addr_next_q == BiasAddrWidth'(BiasDepth - 1) ? '0 : bias_addr_next_q + 1'b1;
          out_block_q <= out_block_q + 1'b1;
        end
        if (use_done) begin
          in_addr_next_q <= use_bank_q ? '0 : InAddrWidth'(InBlocks);
          out_block_q <= '0;
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!stall) begin
      in_addr_q <= in_addr_next_q;
      weight_addr_q <= weight_addr_next_q;
      bias_addr_q <= bias_addr_next_q;
      shift_addr_q <= SharedShift ? '0 : ShiftAddrWidth'(bias_addr_q);
      acc_first_q <= in_block_q == '0;
      acc_end_q <= block_end;
      acc_last_q <= use_done && bank_last_q[use_bank_q];
      sum_last_q <= acc_last_q;
    end
  end

  // ---- Arithmetic. The functions stay loops in the simulator's C++; the shifts of plain integers fold to nothing.
  logic [OutLanes*SubBlocks*(WeightExpWidth+1)-1:0] weight_exponents;  // one spare bit, so that the width is never 0

  if (WeightExpWidth > 0) begin : gen_weight_exponents
    logic [OutLanes*SubBlocks*WeightExpWidth-1:0] exponent_memory[WeightDepth];
    `DSE_LOAD_MEMORY(exponent_memory, WeightExpFile, "weight_exp")
`ifdef SYNTHESIS
    logic [OutLanes*SubBlocks*WeightExpWidth-1:0] exponent_word_q;
    always_ff @(posedge clk_i) if (!stall) exponent_word_q <= exponent_memory[weight_addr_next_q];
`endif
    always_comb
      for (int b = 0; b < OutLanes * SubBlocks; b++)
        weight_exponents[b*(WeightExpWidth+1)+:WeightExpWidth+1] =
            {1'b0, `DSE_READ(exponent_memory[weight_addr_q][b*WeightExpWidth+:WeightExpWidth],
                             exponent_word_q[b*WeightExpWidth+:WeightExpWidth])};
  end else begin : gen_no_weight_exponents
    assign weight_exponents = '0;
  end

`ifdef SYNTHESIS
  // The register after the memory instead of before it: in logic, the enable of an address register would stand as a
  // multiplexer before every bit. Simulation keeps the address, which is less to copy.
  weight_word_t weight_word_q;
  logic [OutLanes*AccWidth-1:0] bias_word_q;
  logic [ShiftLanes*ShiftWidth-1:0] shift_word_q;
  always_ff @(posedge clk_i) begin
    if (!stall) begin
      weight_word_q <= weight_memory[weight_addr_next_q];
      bias_word_q <= bias_memory[bias_addr_next_q];
      shift_word_q <= shift_memory[SharedShift ? '0 : ShiftAddrWidth'(bias_addr_q)];
    end
  end
`endif

  function automatic logic [OutPayload-1:0] requantize_word(
      input acc_word_t acc, input logic [ShiftLanes*ShiftWidth-1:0] shifts);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    for (int o = 0; o < OutLanes; o++)
      word[o*OutWidth+:OutWidth] = requantize(acc[o], shifts[(SharedShift ? 0 : o)*ShiftWidth+:ShiftWidth]);
    return word;
  endfunction

  /// Exponent of partial sum `b` of an input beat; 0 for integers.
  function automatic logic [InExpWidth:0] in_exponent(input logic [InPayload-1:0] beat, input int b);
    logic [InExpWidth:0] exponent;
    exponent = '0;
    for (int k = 0; k < int'(InExpWidth); k++)
      exponent[k] = beat[InLanes*InWidth+(b*InSubBlocks/SubBlocks)*InExpWidth+k];
    return exponent;
  endfunction

  acc_word_t acc_q;
`ifdef SYNTHESIS
  localparam int unsigned ProductWidth = InInteger + WeightInteger + 1;
  localparam int unsigned PartialWidth = ProductWidth + $clog2(SubLanes);

  logic [InPayload-1:0] beat;
  assign beat = in_memory[in_addr_q];

  for (genvar o = 0; o < OutLanes; o++) begin : gen_output
    logic [SubBlocks*AccWidth-1:0] aligned;
    logic [2*AccWidth-1:0] terms;
    logic signed [AccWidth-1:0] acc;
    for (genvar b = 0; b < SubBlocks; b++) begin : gen_partial
      logic [SubLanes*ProductWidth-1:0] products;
      logic signed [PartialWidth-1:0] partial;
      for (genvar i = 0; i < SubLanes; i++) begin : gen_product
        dse_product #(
          .AWidth(InInteger), .ASigned(InSigned), .BWidth(WeightInteger), .BSigned(WeightSigned)
        ) u_product (
          .a_i(decode_in(beat[(b*SubLanes+i)*InWidth+:InWidth])),
          .b_i(decode_weight(weight_word_q[o*InLanes+b*SubLanes+i])),
          .product_o(products[i*ProductWidth+:ProductWidth])
        );
      end
      dse_adder_tree #(.Count(SubLanes), .Width(ProductWidth), .SumWidth(PartialWidth)) u_partial (
        .words_i(products), .sum_o(partial)
      );
      assign aligned[b*AccWidth+:AccWidth] = (AccWidth'(partial) << in_exponent(beat, b))
          << weight_exponents[(o*SubBlocks+b)*(WeightExpWidth+1)+:WeightExpWidth+1];
    end
    dse_adder_tree #(.Count(SubBlocks), .Width(AccWidth), .SumWidth(AccWidth)) u_total (
      .words_i(aligned), .sum_o(terms[0+:AccWidth])
    );
    assign terms[AccWidth+:AccWidth] = acc_first_q ? bias_word_q[o*AccWidth+:AccWidth] : acc_q[o];
    dse_adder_tree #(.Count(2), .Width(AccWidth), .SumWidth(AccWidth)) u_acc (.words_i(terms), .sum_o(acc));
    always_ff @(posedge clk_i) if (acc_valid_q && !stall) acc_q[o] <= acc;
  end
`else
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
    if (acc_valid_q && !stall)
      acc_q <= multiply_accumulate(acc_q, in_memory[in_addr_q], weight_memory[weight_addr_q],
                                   weight_exponents, bias_memory[bias_addr_q], acc_first_q);
  end
`endif

  // ---- Output: one result register, then the spill register whose ready is a register.
  logic result_valid_q, result_last_q, result_ready;
  logic [OutPayload-1:0] result_q;

  assign stall = result_valid_q && !result_ready;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) result_valid_q <= 1'b0;
    else if (!stall) result_valid_q <= sum_valid_q;
    if (!stall && sum_valid_q) begin
      result_q <= requantize_word(acc_q, `DSE_READ(shift_memory[shift_addr_q], shift_word_q));
      result_last_q <= sum_last_q;
    end
  end

  dse_spill_register #(.Width(OutPayload)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(result_valid_q), .in_ready_o(result_ready), .in_payload_i(result_q), .in_last_i(result_last_q),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
