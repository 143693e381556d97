`include "dse_memory.svh"

/// Layer normalisation of rows of n = Blocks * Lanes elements, in integers that cancel the mean's and the variance's 1/n:
///   w   = (n * sum(x*x) - sum(x)**2) * 4**Guard + epsilon          (n**2 times the variance, at the input's scale)
///   s   = isqrt of the RootBits most significant bit pairs of w     (2**(RootBits-1) <= s < 2**RootBits)
///   r   = floor(2**(2*RootBits-1) / s)
///   z   = round((n * x - sum(x)) * r / 2**(RootBits - 1 + HalfWidth - Guard - k - Fraction))
///   k   = leading zero pairs of w, at most HalfWidth - 1 - Guard (more only in a row of equal elements, where z is 0)
///   out = requantize(z * gamma + beta)
///
/// Three stages work on different rows at once: load and sum (Blocks cycles), root and division (2*RootBits + 7 cycles),
/// normalisation (Blocks cycles). A row takes max(Blocks, 2*RootBits + 7) cycles; latency of the first one
/// 2*Blocks + 2*RootBits + 13. Only the last stage is held by a held output, the others run until their buffers are full.
/// Every output is a function of registers only. Reset forgets all data in flight; memories are kept.
module dse_layer_norm #(
  parameter int unsigned Lanes       = 4,    // elements per beat, >= 1
  parameter int unsigned Blocks      = 2,    // beats per row, >= 1
  parameter int unsigned InWidth     = 8,    // bits of an input element
  parameter bit          InSigned    = 1,
  parameter int unsigned SumWidth    = 12,   // bits of sum(x), two's complement
  parameter int unsigned SquareWidth = 18,   // bits of sum(x*x), unsigned
  parameter int unsigned HalfWidth   = 12,   // w has 2 * HalfWidth bits, HalfWidth in RootBits..31
  parameter int unsigned Guard       = 0,    // zero pairs below the variance, so that epsilon has a fraction
  parameter int unsigned RootBits    = 12,   // bits of the root, >= 4
  parameter int unsigned Fraction    = 11,   // fraction bits of z, at most RootBits
  parameter int unsigned NumWidth    = 13,   // bits of n * x - sum(x), two's complement
  parameter int unsigned ZWidth      = 14,   // bits of z, two's complement
  parameter int unsigned GammaWidth  = 10,   // bits of gamma, two's complement
  parameter int unsigned AccWidth    = 25,   // bits of z * gamma + beta
  parameter int unsigned ShiftWidth  = 5,    // bits of the requantisation shift
  parameter int unsigned OutWidth    = 8,    // bits of an output element
  parameter int          Rounding    = 1,
  parameter int          Overflow    = 1,
  parameter longint      ClampLow    = -128,
  parameter longint      ClampHigh   = 127,
  parameter              GammaFile   = "",   // Blocks words of Lanes gammas
  parameter              BetaFile    = "",   // Blocks words of Lanes betas, AccWidth bits, at the scale of z * gamma
  parameter              EpsilonFile = "",   // one word of 2 * HalfWidth bits
  parameter              ShiftFile   = "",   // one shift
  localparam int unsigned InPayload  = Lanes * InWidth,
  localparam int unsigned OutPayload = Lanes * OutWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  in_valid_i,
  output logic                  in_ready_o,
  input  logic [InPayload-1:0]  in_payload_i,
  input  logic                  in_last_i,  // last beat of a sample
  output logic                  out_valid_o,
  input  logic                  out_ready_i,
  output logic [OutPayload-1:0] out_payload_o,
  output logic                  out_last_o
);

  localparam int unsigned Size         = Lanes * Blocks;
  // Rows: two are loaded or wait with their sums, one is in the root and division, one is normalised. A fifth never
  // starts, because the second of them would still be counted in `summing_q`.
  localparam int unsigned Banks        = 4;
  localparam int unsigned BlockWidth   = Blocks > 1 ? $clog2(Blocks) : 1;
  localparam int unsigned AddrWidth    = $clog2(Banks * Blocks);
  localparam int unsigned WideWidth    = 2 * HalfWidth;  // of the products; modulo 2**WideWidth their difference is exact
  localparam int unsigned PairWidth    = $clog2(HalfWidth + 1);
  localparam int unsigned LastStep     = 2 * RootBits + 5;
  localparam int unsigned StepWidth    = $clog2(LastStep + 1);
  localparam int unsigned MaxShift     = RootBits - 1 + HalfWidth - Guard - Fraction;
  localparam int unsigned NormWidth    = $clog2(MaxShift + 2);
  localparam int unsigned ScaledWidth  = NumWidth + RootBits + 2;
  localparam int unsigned RqWidth      = AccWidth;
  localparam int unsigned RqShiftWidth = ShiftWidth;

  `include "dse_requantize.svh"

  typedef logic signed [NumWidth-1:0] num_word_t[Lanes];
  typedef logic signed [ZWidth-1:0]   z_word_t[Lanes];

  logic [InPayload-1:0]        row_memory    [Banks*Blocks];
  logic [Lanes*GammaWidth-1:0] gamma_memory  [Blocks];
  logic [Lanes*AccWidth-1:0]   beta_memory   [Blocks];
  logic [2*HalfWidth-1:0]      epsilon_memory[1];
  logic [ShiftWidth-1:0]       shift_memory  [1];
  `DSE_LOAD_MEMORY(gamma_memory, GammaFile, "gamma")
  `DSE_LOAD_MEMORY(beta_memory, BetaFile, "beta")
  `DSE_LOAD_MEMORY(epsilon_memory, EpsilonFile, "epsilon")
  `DSE_LOAD_MEMORY(shift_memory, ShiftFile, "shift")

  function automatic logic signed [InWidth:0] element(input logic [InWidth-1:0] bits);
    return signed'({InSigned & bits[InWidth-1], bits});
  endfunction

  // ---- Load and sum. A row starts when at most one earlier row waits for the root, so that its sums always find the
  // waiting registers free in time.
  logic push, fill_start, fill_end, sum_take, sum_done_q, waiting_valid_q;
  logic [BlockWidth-1:0] fill_block_q;
  logic [AddrWidth-1:0] fill_addr_q;
  logic [1:0] fill_bank_q, summing_q;  // summing: rows that started and whose sums have not been taken
  logic [Banks-1:0] row_last_q;
  logic signed [SumWidth-1:0] sum_q, waiting_sum_q;
  logic [SquareWidth-1:0] square_q, waiting_square_q;

  assign in_ready_o = fill_block_q != '0 || !summing_q[1];
  assign push       = in_valid_i && in_ready_o;
  assign fill_start = push && fill_block_q == '0;
  assign fill_end   = push && fill_block_q == BlockWidth'(Blocks - 1);

  logic signed [SumWidth-1:0] sum;
  logic [SquareWidth-1:0] square;
`ifdef SYNTHESIS
  logic [(Lanes+1)*SumWidth-1:0] elements;
  logic [(Lanes+1)*SquareWidth-1:0] squares;
  for (genvar i = 0; i < Lanes; i++) begin : gen_term
    // Modulo 2**SquareWidth the square of the extended word is exact, whatever its sign.
    logic [SquareWidth-1:0] x;
    assign x = SquareWidth'(element(in_payload_i[i*InWidth+:InWidth]));
    assign elements[i*SumWidth+:SumWidth] = SumWidth'(element(in_payload_i[i*InWidth+:InWidth]));
    assign squares[i*SquareWidth+:SquareWidth] = x * x;
  end
  assign elements[Lanes*SumWidth+:SumWidth] = fill_start ? '0 : sum_q;
  assign squares[Lanes*SquareWidth+:SquareWidth] = fill_start ? '0 : square_q;
  dse_adder_tree #(.Count(Lanes + 1), .Width(SumWidth), .SumWidth(SumWidth)) u_sum (.clk_i(clk_i), .words_i(elements), .sum_o(sum));
  dse_adder_tree #(.Count(Lanes + 1), .Width(SquareWidth), .SumWidth(SquareWidth)) u_square (.clk_i(clk_i),
    .words_i(squares), .sum_o(square)
  );
`else
  function automatic logic signed [SumWidth-1:0] add_elements(
      input logic signed [SumWidth-1:0] so_far, input logic [InPayload-1:0] beat);
    /* verilator no_inline_task */
    logic signed [SumWidth-1:0] total;
    total = so_far;
    for (int i = 0; i < Lanes; i++) total = total + SumWidth'(element(beat[i*InWidth+:InWidth]));
    return total;
  endfunction

  function automatic logic [SquareWidth-1:0] add_squares(
      input logic [SquareWidth-1:0] so_far, input logic [InPayload-1:0] beat);
    /* verilator no_inline_task */
    logic [SquareWidth-1:0] total;
    total = so_far;
    for (int i = 0; i < Lanes; i++) begin
      // Modulo 2**SquareWidth the square of the extended word is exact, whatever its sign.
      automatic logic [SquareWidth-1:0] x = SquareWidth'(element(beat[i*InWidth+:InWidth]));
      total = total + x * x;
    end
    return total;
  endfunction

  assign sum    = add_elements(fill_start ? '0 : sum_q, in_payload_i);
  assign square = add_squares(fill_start ? '0 : square_q, in_payload_i);
`endif

  // Alone in its process: Verilator 5.048 drops this write beside the function calls below.
  always_ff @(posedge clk_i) if (push) row_memory[fill_addr_q] <= in_payload_i;

  always_ff @(posedge clk_i) begin
    if (push) begin
      sum_q <= sum;
      square_q <= square;
      row_last_q[fill_bank_q] <= in_last_i;
    end
    if (!waiting_valid_q || sum_take) begin
      waiting_sum_q <= sum_q;
      waiting_square_q <= square_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fill_block_q <= '0;
      fill_addr_q <= '0;
      fill_bank_q <= '0;
      summing_q <= '0;
      sum_done_q <= 1'b0;
      waiting_valid_q <= 1'b0;
    end else begin
      if (push) begin
        fill_block_q <= fill_end ? '0 : fill_block_q + 1'b1;
        fill_addr_q <= fill_addr_q == AddrWidth'(Banks * Blocks - 1) ? '0 : fill_addr_q + 1'b1;
        if (fill_end) fill_bank_q <= fill_bank_q + 1'b1;
      end
      if (fill_end) sum_done_q <= 1'b1;
      else if (!waiting_valid_q || sum_take) sum_done_q <= 1'b0;
      if (sum_done_q) waiting_valid_q <= 1'b1;
      else if (sum_take) waiting_valid_q <= 1'b0;
      summing_q <= summing_q + 2'(fill_start) - 2'(sum_take);
    end
  end

  // ---- Root and division, one step per cycle:
  //   0 products   1 w   2 leading zero pairs   3 radicand   4.. RootBits root steps   then the divisor
  //   then RootBits + 1 division steps
  logic busy_q, factor_valid_q, factor_take, root_step, divide_step;
  logic [StepWidth-1:0] step_q;
  logic signed [SumWidth-1:0] row_sum_q;
  logic [SquareWidth-1:0] row_square_q;
  logic [WideWidth-1:0] scaled_square_q, squared_sum_q;
  logic [2*HalfWidth-1:0] w_q;
  logic [PairWidth-1:0] zero_pairs_q;
  logic [2*RootBits-1:0] radicand_q;
  logic [RootBits-1:0] root_q;
  logic [RootBits+2:0] root_rest_q, root_rest, root_trial;
  logic [RootBits:0] rest_q, doubled, factor_q;  // factor: u<RootBits+1>

  assign sum_take    = waiting_valid_q && !busy_q && (!factor_valid_q || factor_take);
  assign root_step   = step_q >= StepWidth'(4) && step_q < StepWidth'(4 + RootBits);
  assign divide_step = step_q > StepWidth'(4 + RootBits);
  assign root_rest   = (root_rest_q << 2) | (RootBits + 3)'(radicand_q[2*RootBits-1-:2]);
  assign root_trial  = {1'b0, root_q, 2'b01};
  assign doubled     = rest_q << 1;

  function automatic logic [PairWidth-1:0] leading_zero_pairs(input logic [2*HalfWidth-1:0] value);
    logic [PairWidth-1:0] pairs;
    pairs = PairWidth'(HalfWidth - 1 - Guard);
    for (int p = Guard; p < HalfWidth; p++) if (value[2*p+:2] != 2'b00) pairs = PairWidth'(HalfWidth - 1 - p);
    return pairs;
  endfunction

  always_ff @(posedge clk_i) begin
    if (sum_take) begin
      row_sum_q <= waiting_sum_q;
      row_square_q <= waiting_square_q;
    end
    scaled_square_q <= WideWidth'(row_square_q) * WideWidth'(Size);
    squared_sum_q <= WideWidth'(row_sum_q) * WideWidth'(row_sum_q);
    w_q <= ((scaled_square_q - squared_sum_q) << (2 * Guard)) + epsilon_memory[0];
    zero_pairs_q <= leading_zero_pairs(w_q);
    if (step_q == StepWidth'(3)) begin
      radicand_q <= (2 * RootBits)'((w_q << {zero_pairs_q, 1'b0}) >> (2 * HalfWidth - 2 * RootBits));
      root_rest_q <= '0;
      root_q <= '0;
    end else if (root_step) begin
      radicand_q <= radicand_q << 2;
      root_rest_q <= root_rest >= root_trial ? root_rest - root_trial : root_rest;
      root_q <= (root_q << 1) | RootBits'(root_rest >= root_trial);
    end
    if (step_q == StepWidth'(4 + RootBits)) begin
      rest_q <= (RootBits + 1)'(1) << (RootBits - 2);  // upper bits of the numerator, less than any root
    end else if (divide_step && busy_q) begin
      rest_q <= doubled >= {1'b0, root_q} ? doubled - {1'b0, root_q} : doubled;
      factor_q <= (factor_q << 1) | (RootBits + 1)'(doubled >= {1'b0, root_q});
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      factor_valid_q <= 1'b0;
      step_q <= '0;
    end else begin
      if (sum_take) begin
        busy_q <= 1'b1;
        step_q <= '0;
      end else if (busy_q) begin
        step_q <= step_q + 1'b1;
        if (step_q == StepWidth'(LastStep)) busy_q <= 1'b0;
      end
      if (busy_q && step_q == StepWidth'(LastStep)) factor_valid_q <= 1'b1;
      else if (factor_take) factor_valid_q <= 1'b0;
    end
  end

  // ---- Normalisation: address, numerator, z, result, then the spill register.
  logic stall, issue, row_end, valid1_q, valid2_q, valid3_q, last1_q, last2_q, last3_q;
  logic result_valid_q, result_last_q, result_ready;
  logic [BlockWidth-1:0] block_q, block1_q, block2_q, block3_q;
  logic [AddrWidth-1:0] addr_q, addr_next_q;
  logic [1:0] bank_q;
  logic signed [SumWidth-1:0] sum1_q;
  logic [RootBits:0] factor1_q, factor2_q;
  logic [NormWidth-1:0] norm1_q, norm2_q;
  num_word_t num_q;
  z_word_t z_q;
  logic [OutPayload-1:0] result_q;

  assign stall       = result_valid_q && !result_ready;
  assign issue       = !stall && (block_q != '0 || factor_valid_q);
  assign row_end     = block_q == BlockWidth'(Blocks - 1);
  assign factor_take = issue && block_q == '0;

  function automatic num_word_t numerators(input logic [InPayload-1:0] beat, input logic signed [NumWidth-1:0] total);
    /* verilator no_inline_task */
    num_word_t result;
    for (int i = 0; i < Lanes; i++)
      result[i] = NumWidth'(element(beat[i*InWidth+:InWidth])) * NumWidth'(Size) - total;
    return result;
  endfunction

  function automatic z_word_t normalised(
      input num_word_t numerator, input logic [RootBits:0] factor, input logic [NormWidth-1:0] shift);
    /* verilator no_inline_task */
    z_word_t result;
    logic signed [ScaledWidth-1:0] half;
    half = shift == '0 ? '0 : ScaledWidth'(1) << (shift - 1'b1);
    for (int i = 0; i < Lanes; i++)
      result[i] = ZWidth'((ScaledWidth'(numerator[i]) * signed'(ScaledWidth'(factor)) + half) >>> shift);
    return result;
  endfunction

  function automatic logic [OutPayload-1:0] affine(
      input z_word_t z, input logic [Lanes*GammaWidth-1:0] gamma, input logic [Lanes*AccWidth-1:0] beta,
      input logic [ShiftWidth-1:0] shift);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    for (int i = 0; i < Lanes; i++)
      word[i*OutWidth+:OutWidth] = requantize(
          AccWidth'(z[i]) * AccWidth'(signed'(gamma[i*GammaWidth+:GammaWidth])) + signed'(beta[i*AccWidth+:AccWidth]),
          shift);
    return word;
  endfunction

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      block_q <= '0;
      addr_next_q <= '0;
      bank_q <= '0;
      valid1_q <= 1'b0;
      valid2_q <= 1'b0;
      valid3_q <= 1'b0;
      result_valid_q <= 1'b0;
    end else if (!stall) begin
      valid1_q <= issue;
      valid2_q <= valid1_q;
      valid3_q <= valid2_q;
      result_valid_q <= valid3_q;
      if (issue) begin
        block_q <= row_end ? '0 : block_q + 1'b1;
        addr_next_q <= addr_next_q == AddrWidth'(Banks * Blocks - 1) ? '0 : addr_next_q + 1'b1;
        if (row_end) bank_q <= bank_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!stall) begin
      addr_q <= addr_next_q;
      block1_q <= block_q;
      block2_q <= block1_q;
      block3_q <= block2_q;
      last1_q <= row_end && row_last_q[bank_q];
      last2_q <= last1_q;
      last3_q <= last2_q;
      result_last_q <= last3_q;
      if (factor_take) begin
        sum1_q <= row_sum_q;
        factor1_q <= factor_q;
        norm1_q <= NormWidth'(MaxShift) - NormWidth'(zero_pairs_q);
      end
      factor2_q <= factor1_q;
      norm2_q <= norm1_q;
      if (valid1_q) num_q <= numerators(row_memory[addr_q], NumWidth'(sum1_q));
      if (valid2_q) z_q <= normalised(num_q, factor2_q, norm2_q);
      if (valid3_q) result_q <= affine(z_q, gamma_memory[block3_q], beta_memory[block3_q], shift_memory[0]);
    end
  end

  dse_spill_register #(.Width(OutPayload)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(result_valid_q), .in_ready_o(result_ready), .in_payload_i(result_q), .in_last_i(result_last_q),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
