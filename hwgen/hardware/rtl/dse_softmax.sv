`include "dse_memory.svh"

/// Softmax over rows of Blocks * Lanes consecutive elements.
///
/// Four stages work on different rows at once:
///   load    Blocks cycles: stores the row and finds its largest element
///   exp     Blocks cycles: e = table[(max - x) rounded by 2**Drop], stores e, sums the row
///   divide  QuotientWidth cycles: r = floor(2**Power / sum)
///   scale   Blocks cycles: out = requantize(e * r, Shift)
/// A row takes max(Blocks, QuotientWidth + 1) cycles; latency of the first one 3 * Blocks + QuotientWidth + 7.
/// Causal rows keep element s of token t for s <= t only; a masked element is 0 and takes no part in the sum.
/// Only the scale stage is held by a held output, the others run until their buffers are full.
/// Every output is a function of registers only. Reset forgets all data in flight; the table is kept.
module dse_softmax #(
  parameter int unsigned Lanes      = 4,   // elements per beat, >= 1
  parameter int unsigned Blocks     = 2,   // beats per row, >= 1
  parameter int unsigned Groups     = 1,   // rows per token; matters for causal rows only
  parameter int unsigned Tokens     = 1,   // tokens per sample; matters for causal rows only
  parameter bit          Causal     = 0,
  parameter int unsigned InWidth    = 8,   // bits of an input element
  parameter bit          InSigned   = 1,
  parameter int unsigned Drop       = 0,   // bits of max - x that are rounded away before the look-up
  parameter int unsigned IndexWidth = 8,   // bits of a table address, at most InWidth + 1
  parameter int unsigned ExpWidth   = 16,  // bits of a table entry; entry 0 is 2**ExpWidth - 1
  parameter int unsigned SumWidth   = 19,  // bits of the largest sum of a row
  parameter int unsigned Power      = 30,  // the quotient is 2**Power / sum
  parameter int unsigned Shift      = 22,  // requantisation shift
  parameter int unsigned OutWidth   = 8,   // bits of an output element
  parameter int          Rounding   = 1,
  parameter int          Overflow   = 1,
  parameter longint      ClampLow   = 0,
  parameter longint      ClampHigh  = 255,
  parameter              ExpFile    = "",  // 2**IndexWidth words
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

  // Rows between exp and scale: two are summed or wait for the divider, one is divided, one is scaled. A fifth never
  // starts, because the second of them would still be counted in `summing_q`.
  localparam int unsigned ExpBanks      = 4;
  localparam int unsigned BlockWidth    = Blocks > 1 ? $clog2(Blocks) : 1;
  localparam int unsigned InAddrWidth   = $clog2(2 * Blocks);
  localparam int unsigned ExpAddrWidth  = $clog2(ExpBanks * Blocks);
  localparam int unsigned ElementWidth  = $clog2(Lanes * Blocks + 1);
  localparam int unsigned GroupWidth    = Groups > 1 ? $clog2(Groups) : 1;
  localparam int unsigned TokenWidth    = $clog2(Tokens + 1);
  localparam int unsigned QuotientWidth = Power - ExpWidth + 1;  // the sum is at least 2**ExpWidth - 1
  localparam int unsigned CountWidth    = $clog2(QuotientWidth + 1);
  localparam int unsigned RqWidth       = Power + 2;
  localparam int unsigned RqShiftWidth  = $clog2(Shift + 2);

  `include "dse_requantize.svh"

  logic [Lanes*InWidth-1:0]  in_memory [2*Blocks];
  logic [Lanes*ExpWidth-1:0] row_memory[ExpBanks*Blocks];

  // ---- Load: two banks; the running maximum, the causal limit and `last` are kept per bank.
  logic [1:0] in_full_q, in_last_q;
  logic signed [InWidth:0] in_max_q[2];
  logic [TokenWidth-1:0] in_limit_q[2];  // last element that is kept
  logic fill_bank_q, use_bank_q, push, fill_done, use_done, token_end;
  logic [BlockWidth-1:0] fill_block_q;
  logic [InAddrWidth-1:0] fill_addr_q;
  logic [ElementWidth-1:0] fill_element_q;  // index of lane 0 in the row
  logic [GroupWidth-1:0] group_q;
  logic [TokenWidth-1:0] token_q;

  assign in_ready_o = !in_full_q[fill_bank_q];
  assign push       = in_valid_i && in_ready_o;
  assign fill_done  = push && fill_block_q == BlockWidth'(Blocks - 1);
  assign token_end  = fill_done && group_q == GroupWidth'(Groups - 1);

  /// Whether element `element` of a row takes part.
  function automatic logic kept(input int unsigned element, input logic [TokenWidth-1:0] limit);
    return !Causal || element <= 32'(limit);
  endfunction

  function automatic logic signed [InWidth:0] largest(
      input logic signed [InWidth:0] so_far, input logic [InPayload-1:0] beat, input logic [ElementWidth-1:0] element,
      input logic [TokenWidth-1:0] limit);
    /* verilator no_inline_task */
    logic signed [InWidth:0] result;
    result = so_far;
    for (int unsigned i = 0; i < Lanes; i++) begin
      automatic logic signed [InWidth:0] x = signed'({InSigned & beat[i*InWidth+InWidth-1], beat[i*InWidth+:InWidth]});
      if (kept(32'(element) + i, limit) && x > result) result = x;
    end
    return result;
  endfunction

  always_ff @(posedge clk_i) if (push) in_memory[fill_addr_q] <= in_payload_i;

  always_ff @(posedge clk_i) begin
    if (push) begin
      in_max_q[fill_bank_q] <= largest(fill_block_q == '0 ? {1'b1, {InWidth{1'b0}}} : in_max_q[fill_bank_q],
                                       in_payload_i, fill_element_q, token_q);
      in_limit_q[fill_bank_q] <= token_q;
      in_last_q[fill_bank_q] <= in_last_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      in_full_q <= '0;
      fill_bank_q <= 1'b0;
      use_bank_q <= 1'b0;
      fill_block_q <= '0;
      fill_addr_q <= '0;
      fill_element_q <= '0;
      group_q <= '0;
      token_q <= '0;
    end else begin
      if (push) begin
        fill_block_q <= fill_done ? '0 : fill_block_q + 1'b1;
        fill_element_q <= fill_done ? '0 : fill_element_q + ElementWidth'(Lanes);
        fill_addr_q <= fill_addr_q == InAddrWidth'(2 * Blocks - 1) ? '0 : fill_addr_q + 1'b1;
      end
      if (fill_done) begin
        in_full_q[fill_bank_q] <= 1'b1;
        fill_bank_q <= !fill_bank_q;
        group_q <= token_end ? '0 : group_q + 1'b1;
      end
      if (token_end && Causal) token_q <= in_last_i ? '0 : token_q + 1'b1;
      if (use_done) begin
        in_full_q[use_bank_q] <= 1'b0;
        use_bank_q <= !use_bank_q;
      end
    end
  end

  // ---- Exp: address, then index, then table. A row starts when at most one earlier row is summed or waits for the
  // divider, so that a finished sum always finds the register after it free in time.
  logic exp_issue, exp_start, exp_end, sum_take;
  logic [BlockWidth-1:0] exp_block_q;
  logic [InAddrWidth-1:0] exp_addr_q, exp_addr_next_q;
  logic [ExpAddrWidth-1:0] row_fill_addr_q, row_fill1_q, row_fill2_q;
  logic [ElementWidth-1:0] exp_element_q, element1_q, element2_q;
  logic [TokenWidth-1:0] limit1_q, limit2_q;
  logic signed [InWidth:0] max1_q;
  logic valid1_q, first1_q, end1_q, valid2_q, first2_q, end2_q;
  logic [Lanes*IndexWidth-1:0] index_q;
  logic [Lanes*ExpWidth-1:0] exps;
  logic [SumWidth-1:0] row_sum, sum_q, waiting_sum_q;
  logic sum_done_q, waiting_valid_q;
  logic [1:0] summing_q;  // rows that started and whose sum the divider has not taken
  logic [ExpBanks-1:0] row_last_q;
  logic [1:0] row_fill_bank_q;

  assign exp_start = exp_issue && exp_block_q == '0;
  assign exp_issue = in_full_q[use_bank_q] && (exp_block_q != '0 || !summing_q[1]);
  assign exp_end   = exp_block_q == BlockWidth'(Blocks - 1);
  assign use_done  = exp_issue && exp_end;

  function automatic logic [Lanes*IndexWidth-1:0] indices(
      input logic [InPayload-1:0] beat, input logic signed [InWidth:0] maximum);
    /* verilator no_inline_task */
    logic [Lanes*IndexWidth-1:0] word;
    for (int i = 0; i < Lanes; i++) begin
      automatic logic signed [InWidth:0] x = signed'({InSigned & beat[i*InWidth+InWidth-1], beat[i*InWidth+:InWidth]});
      // Never negative where it matters; masked elements may be larger, their entry is not used.
      automatic logic [InWidth+1:0] distance = (InWidth + 2)'(maximum) - (InWidth + 2)'(x);
      distance = (distance + (InWidth + 2)'((1 << Drop) >> 1)) >> Drop;
      if (distance > (InWidth + 2)'((1 << IndexWidth) - 1)) distance = (InWidth + 2)'((1 << IndexWidth) - 1);
      word[i*IndexWidth+:IndexWidth] = IndexWidth'(distance);
    end
    return word;
  endfunction

  // The table, u<ExpWidth>: round(exp(-d) * (2**ExpWidth - 1)). In synthesis a memory for each lane: Yosys weighs every
  // assignment of read ports to copies.
`ifdef SYNTHESIS
  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [ExpWidth-1:0] lane_memory[1<<IndexWidth];
    initial $readmemh(ExpFile, lane_memory);
    assign exps[i*ExpWidth+:ExpWidth] =
        kept(32'(element2_q) + i, limit2_q) ? lane_memory[index_q[i*IndexWidth+:IndexWidth]] : '0;
  end
`else
  logic [ExpWidth-1:0] exp_memory[1<<IndexWidth];
  `DSE_LOAD_MEMORY(exp_memory, ExpFile, "exp")
  always_comb begin
    exps = '0;
    for (int unsigned i = 0; i < Lanes; i++)
      if (kept(32'(element2_q) + i, limit2_q))
        exps[i*ExpWidth+:ExpWidth] = exp_memory[index_q[i*IndexWidth+:IndexWidth]];
  end
`endif

`ifdef SYNTHESIS
  logic [(Lanes+1)*SumWidth-1:0] terms;
  for (genvar i = 0; i < Lanes; i++) begin : gen_term
    assign terms[i*SumWidth+:SumWidth] = SumWidth'(exps[i*ExpWidth+:ExpWidth]);
  end
  assign terms[Lanes*SumWidth+:SumWidth] = first2_q ? '0 : sum_q;
  dse_adder_tree #(.Count(Lanes + 1), .Width(SumWidth), .SumWidth(SumWidth)) u_sum (.clk_i(clk_i), .words_i(terms), .sum_o(row_sum));
`else
  always_comb begin
    row_sum = first2_q ? '0 : sum_q;
    for (int i = 0; i < Lanes; i++) row_sum = row_sum + SumWidth'(exps[i*ExpWidth+:ExpWidth]);
  end
`endif

  always_ff @(posedge clk_i) if (valid2_q) row_memory[row_fill2_q] <= exps;

  always_ff @(posedge clk_i) begin
    exp_addr_q <= exp_addr_next_q;
    row_fill1_q <= row_fill_addr_q;
    element1_q <= exp_element_q;
    limit1_q <= in_limit_q[use_bank_q];
    max1_q <= in_max_q[use_bank_q];
    first1_q <= exp_block_q == '0;
    end1_q <= exp_end;
    row_fill2_q <= row_fill1_q;
    element2_q <= element1_q;
    limit2_q <= limit1_q;
    first2_q <= first1_q;
    end2_q <= end1_q;
    if (valid1_q) index_q <= indices(in_memory[exp_addr_q], max1_q);
    if (valid2_q) sum_q <= row_sum;
    if (exp_start) row_last_q[row_fill_bank_q] <= in_last_q[use_bank_q];
    if (sum_done_q && (!waiting_valid_q || sum_take)) waiting_sum_q <= sum_q;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      exp_block_q <= '0;
      exp_element_q <= '0;
      exp_addr_next_q <= '0;
      row_fill_addr_q <= '0;
      row_fill_bank_q <= '0;
      valid1_q <= 1'b0;
      valid2_q <= 1'b0;
      sum_done_q <= 1'b0;
      waiting_valid_q <= 1'b0;
      summing_q <= '0;
    end else begin
      valid1_q <= exp_issue;
      valid2_q <= valid1_q;
      if (exp_issue) begin
        exp_block_q <= exp_end ? '0 : exp_block_q + 1'b1;
        exp_element_q <= exp_end ? '0 : exp_element_q + ElementWidth'(Lanes);
        exp_addr_next_q <= exp_addr_next_q == InAddrWidth'(2 * Blocks - 1) ? '0 : exp_addr_next_q + 1'b1;
        row_fill_addr_q <= row_fill_addr_q == ExpAddrWidth'(ExpBanks * Blocks - 1) ? '0 : row_fill_addr_q + 1'b1;
        if (exp_end) row_fill_bank_q <= row_fill_bank_q + 1'b1;
      end
      if (valid2_q && end2_q) sum_done_q <= 1'b1;
      else if (!waiting_valid_q || sum_take) sum_done_q <= 1'b0;
      if (sum_done_q) waiting_valid_q <= 1'b1;
      else if (sum_take) waiting_valid_q <= 1'b0;
      summing_q <= summing_q + 2'(exp_start) - 2'(sum_take);
    end
  end

  // ---- Divide: restoring, one quotient bit per cycle. The numerator's upper bits are the initial remainder, smaller
  // than any sum; all its lower bits are 0.
  logic divide_busy_q, quotient_valid_q, quotient_take;
  logic [CountWidth-1:0] count_q;
  logic [SumWidth:0] remainder_q, doubled;  // u<SumWidth+1>
  logic [SumWidth-1:0] divisor_q;
  logic [QuotientWidth-1:0] quotient_q;     // u<QuotientWidth>

  assign sum_take = waiting_valid_q && !divide_busy_q && (!quotient_valid_q || quotient_take);
  assign doubled  = remainder_q << 1;

  always_ff @(posedge clk_i) begin
    if (sum_take) begin
      remainder_q <= (SumWidth + 1)'(1) << (ExpWidth - 1);
      divisor_q <= waiting_sum_q;
    end else if (divide_busy_q) begin
      remainder_q <= doubled >= {1'b0, divisor_q} ? doubled - {1'b0, divisor_q} : doubled;
      quotient_q <= (quotient_q << 1) | QuotientWidth'(doubled >= {1'b0, divisor_q});
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      divide_busy_q <= 1'b0;
      quotient_valid_q <= 1'b0;
      count_q <= '0;
    end else begin
      if (sum_take) begin
        divide_busy_q <= 1'b1;
        count_q <= CountWidth'(QuotientWidth - 1);
      end else if (divide_busy_q) begin
        count_q <= count_q - 1'b1;
        if (count_q == '0) divide_busy_q <= 1'b0;
      end
      if (divide_busy_q && count_q == '0) quotient_valid_q <= 1'b1;
      else if (quotient_take) quotient_valid_q <= 1'b0;
    end
  end

  // ---- Scale: address, then product and requantisation, then the spill register.
  logic stall, scale_issue, scale_end, scale_valid_q, scale_last_q;
  logic result_valid_q, result_last_q, result_ready;
  logic [BlockWidth-1:0] scale_block_q;
  logic [ExpAddrWidth-1:0] row_addr_q, row_addr_next_q;
  logic [1:0] row_bank_q;
  logic [QuotientWidth-1:0] factor_q;
  logic [OutPayload-1:0] result_q;

  assign stall         = result_valid_q && !result_ready;
  assign scale_issue   = !stall && (scale_block_q != '0 || quotient_valid_q);
  assign scale_end     = scale_block_q == BlockWidth'(Blocks - 1);
  assign quotient_take = scale_issue && scale_block_q == '0;

  function automatic logic [OutPayload-1:0] scaled(
      input logic [Lanes*ExpWidth-1:0] row, input logic [QuotientWidth-1:0] factor);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    for (int i = 0; i < Lanes; i++)
      word[i*OutWidth+:OutWidth] =
          requantize(signed'(RqWidth'(row[i*ExpWidth+:ExpWidth]) * RqWidth'(factor)), RqShiftWidth'(Shift));
    return word;
  endfunction

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      scale_block_q <= '0;
      row_addr_next_q <= '0;
      row_bank_q <= '0;
      scale_valid_q <= 1'b0;
      result_valid_q <= 1'b0;
    end else if (!stall) begin
      scale_valid_q <= scale_issue;
      result_valid_q <= scale_valid_q;
      if (scale_issue) begin
        scale_block_q <= scale_end ? '0 : scale_block_q + 1'b1;
        row_addr_next_q <= row_addr_next_q == ExpAddrWidth'(ExpBanks * Blocks - 1) ? '0 : row_addr_next_q + 1'b1;
        if (scale_end) row_bank_q <= row_bank_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!stall) begin
      row_addr_q <= row_addr_next_q;
      scale_last_q <= scale_end && row_last_q[row_bank_q];
      if (quotient_take) factor_q <= quotient_q;
      if (scale_valid_q) result_q <= scaled(row_memory[row_addr_q], factor_q);
      result_last_q <= scale_last_q;
    end
  end

  dse_spill_register #(.Width(OutPayload)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(result_valid_q), .in_ready_o(result_ready), .in_payload_i(result_q), .in_last_i(result_last_q),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
