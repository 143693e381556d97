`include "dse_memory.svh"

/// Softmax over rows of Blocks * Lanes consecutive elements.
///
/// Four steps work on different rows at once:
///   load    Blocks cycles: stores the row and finds its largest element
///   exp     Blocks cycles: e = table[(max - x) rounded by 2**Drop], stores e, sums the row
///   divide  QuotientWidth cycles: r = floor(2**Power / sum)
///   scale   Blocks cycles: out = requantize(e * r, Shift)
/// A row takes max(Blocks, QuotientWidth + 1) cycles; latency of the first one 3 * Blocks + QuotientWidth + Stages + 8.
/// Causal rows keep element s of token t for s <= t only; a masked element is 0 and takes no part in the sum.
/// Load, exp and scale are pipelines that never stop, with `Stages` registers (`dse_stages.svh`) in all. Levels: the mask of
/// causal rows, each level of the tree of maxima; the row's word, the distance to the maximum, the table's word, each level of
/// the adder tree; the stored word, the product, its rounding. Running maximum and sum have registers of their own.
/// A row starts when there is room for its exponentials, a beat of results when the output has a place for it.
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
  parameter int unsigned Stages     = 0,   // registers within the arithmetic, at most Levels
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

  // Levels by number: of the load before the running maximum, of the exponentials before the running sum, of the scaling.
  localparam int unsigned TreeLevels    = $clog2(Lanes);
  localparam int unsigned MaximumLevel  = Causal ? 2 : 1;
  localparam int unsigned RowLevel      = MaximumLevel + TreeLevels;
  localparam int unsigned DistanceLevel = RowLevel + 1;
  localparam int unsigned TableLevel    = DistanceLevel + 1;
  localparam int unsigned SumLevel      = TableLevel + 1;
  localparam int unsigned StoredLevel   = SumLevel + TreeLevels;
  localparam int unsigned ProductLevel  = StoredLevel + 1;
  localparam int unsigned Levels        = ProductLevel + 1;
  `include "dse_stages.svh"
  localparam int unsigned Loading = registers_until(RowLevel - 1);
  localparam int unsigned Summing = registers_until(StoredLevel - 1) - Loading;
  localparam int unsigned Scaling = Stages - Loading - Summing;

  localparam int unsigned QuotientWidth = Power - ExpWidth + 1;  // the sum is at least 2**ExpWidth - 1
  localparam int unsigned RowCycles     = Blocks > QuotientWidth + 1 ? Blocks : QuotientWidth + 1;
  // Beats that are stored: two rows, or what comes in until the first beat of a row is read; at most four short rows.
  localparam int unsigned Window = Blocks + Loading + 2 > 2 * Blocks ? Blocks + Loading + 2 : 2 * Blocks;
  localparam int unsigned InDepth = Window < 4 * Blocks ? Window : 4 * Blocks;
  // Rows of exponentials that are stored: those that start until a row is scaled.
  localparam int unsigned Rows = (2 * Blocks + QuotientWidth + Summing + 4 + RowCycles - 1) / RowCycles;

  localparam int unsigned BlockWidth   = Blocks > 1 ? $clog2(Blocks) : 1;
  localparam int unsigned InAddrWidth  = $clog2(InDepth);
  localparam int unsigned InCountWidth = $clog2(InDepth + 1);
  localparam int unsigned ExpDepth     = Rows * Blocks;
  localparam int unsigned ExpAddrWidth = ExpDepth > 1 ? $clog2(ExpDepth) : 1;
  localparam int unsigned RowCountWidth = $clog2(Rows + 1);
  localparam int unsigned ElementWidth = $clog2(Lanes * Blocks + 1);
  localparam int unsigned GroupWidth   = Groups > 1 ? $clog2(Groups) : 1;
  localparam int unsigned TokenWidth   = $clog2(Tokens + 1);
  // Elements as keys: unsigned words in the order of the elements. The distance to the rounded-up maximum is one bit wider.
  localparam logic [InWidth-1:0] Flip   = InWidth'(InSigned) << (InWidth - 1);
  localparam int unsigned DistanceWidth = InWidth + 1;
  localparam int unsigned ProductWidth  = Power + 2;  // signed
  localparam int unsigned ShiftWidth    = $clog2(Shift + 2);

  // Both memories: a word is written again only after it was read.
  (* no_rw_check *) logic [InPayload-1:0] in_memory[InDepth];
  (* no_rw_check *) logic [Lanes*ExpWidth-1:0] row_memory[ExpDepth];

  /// Which lanes of a beat take part, element `element` in lane 0.
  function automatic logic [Lanes-1:0] kept(
      input logic [ElementWidth-1:0] element, input logic [TokenWidth-1:0] limit);
    logic [Lanes-1:0] mask;
    for (int unsigned i = 0; i < Lanes; i++) mask[i] = !Causal || 32'(element) + i <= 32'(limit);
    return mask;
  endfunction

  // ---- Load. The running maximum is in `max_q` a cycle after its row's last beat has passed the tree.
  logic push, fill_end, token_end, in_full_q, loaded, loaded_first, loaded_end, exp_issue;
  logic row_end, row_last, row_valid, row_start, start_last;
  logic [BlockWidth-1:0] fill_block_q;
  logic [InAddrWidth-1:0] fill_addr_q;
  logic [InCountWidth-1:0] in_count_q, in_count;
  logic [ElementWidth-1:0] fill_element_q;  // index of lane 0 in the row
  logic [GroupWidth-1:0] group_q;
  logic [TokenWidth-1:0] token_q, row_limit, start_limit;
  logic [InWidth-1:0] max_q, start_max;

  assign in_ready_o = !in_full_q;
  assign push       = in_valid_i && in_ready_o;
  assign fill_end   = push && fill_block_q == BlockWidth'(Blocks - 1);
  assign token_end  = fill_end && group_q == GroupWidth'(Groups - 1);
  assign in_count   = in_count_q + InCountWidth'(push) - InCountWidth'(exp_issue);

  always_ff @(posedge clk_i) if (push) in_memory[fill_addr_q] <= in_payload_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      in_count_q <= '0;
      in_full_q <= 1'b0;
      fill_block_q <= '0;
      fill_addr_q <= '0;
      fill_element_q <= '0;
      group_q <= '0;
      token_q <= '0;
    end else begin
      in_count_q <= in_count;
      in_full_q <= in_count == InCountWidth'(InDepth);
      if (push) begin
        fill_block_q <= fill_end ? '0 : fill_block_q + 1'b1;
        fill_element_q <= fill_end ? '0 : fill_element_q + ElementWidth'(Lanes);
        fill_addr_q <= fill_addr_q == InAddrWidth'(InDepth - 1) ? '0 : fill_addr_q + 1'b1;
      end
      if (fill_end) group_q <= token_end ? '0 : group_q + 1'b1;
      if (token_end && Causal) token_q <= in_last_i ? '0 : token_q + 1'b1;
    end
  end

  dse_event #(.Width(3), .Cycles(`DSE_READ(0, Loading))) u_loaded (
    .clk_i(clk_i), .rst_ni(rst_ni), .event_i({push, fill_block_q == '0, fill_end}),
    .event_o({loaded, loaded_first, loaded_end})
  );
  dse_event u_row_end (.clk_i(clk_i), .rst_ni(rst_ni), .event_i(loaded_end), .event_o(row_end));
  dse_delay #(.Width(TokenWidth + 1), .Cycles(`DSE_READ(1, Loading + 1))) u_row (
    .clk_i(clk_i), .word_i({in_last_i, token_q}), .word_o({row_last, row_limit})
  );

`ifdef SYNTHESIS
  logic [InPayload-1:0] keys, masked;
  logic [InWidth-1:0] largest;
  logic [Lanes-1:0] fill_kept;

  assign fill_kept = kept(fill_element_q, token_q);
  for (genvar i = 0; i < Lanes; i++) begin : gen_key
    assign keys[i*InWidth+:InWidth] = fill_kept[i] ? in_payload_i[i*InWidth+:InWidth] ^ Flip : '0;
  end
  dse_delay #(.Width(InPayload), .Cycles(Causal ? 32'(registered(1)) : 0)) u_masked (
    .clk_i(clk_i), .word_i(keys), .word_o(masked)
  );
  dse_maximum_tree #(
    .Count(Lanes), .Width(InWidth), .Registers(registers_of(MaximumLevel, TreeLevels))
  ) u_largest (
    .clk_i(clk_i), .words_i(masked), .largest_o(largest)
  );
  always_ff @(posedge clk_i) if (loaded) max_q <= loaded_first || largest > max_q ? largest : max_q;
`else
  function automatic logic [InWidth-1:0] larger(
      input logic [InWidth-1:0] so_far, input logic [InPayload-1:0] beat, input logic [Lanes-1:0] mask);
    /* verilator no_inline_task */
    logic [InWidth-1:0] result;
    result = so_far;
    for (int i = 0; i < Lanes; i++)
      if (mask[i] && (beat[i*InWidth+:InWidth] ^ Flip) > result) result = beat[i*InWidth+:InWidth] ^ Flip;
    return result;
  endfunction

  always_ff @(posedge clk_i)
    if (loaded) max_q <= larger(loaded_first ? '0 : max_q, in_payload_i, kept(fill_element_q, token_q));
`endif

  // A row's maximum, the last element that it keeps, and whether it ends a sample.
  dse_row_queue #(.Width(InWidth + TokenWidth + 1), .Depth(InDepth / Blocks), .Delay(`DSE_READ(Loading, 0))) u_rows (
    .clk_i(clk_i), .rst_ni(rst_ni), .push_i(row_end), .word_i({row_last, row_limit, max_q}),
    .valid_o(row_valid), .pop_i(row_start), .word_o({start_last, start_limit, start_max})
  );

  // ---- Exp. `row_count_q` counts the rows that started and have not been scaled.
  logic exp_end, exp_last_q, room_q, scale_done, store, summed, summed_first, summed_end, summed_last;
  logic [RowCountWidth-1:0] row_count_q, row_count;
  logic [BlockWidth-1:0] exp_block_q;
  logic [InAddrWidth-1:0] exp_addr_q;
  logic [ExpAddrWidth-1:0] store_addr_q;
  logic [ElementWidth-1:0] exp_element_q, element_q;
  logic [TokenWidth-1:0] limit_q;
  logic [DistanceWidth-1:0] row_max_q;
  logic [Lanes*ExpWidth-1:0] exps;
  logic [SumWidth-1:0] sum_q;

  assign exp_issue = exp_block_q != '0 || (row_valid && room_q);
  assign row_start = exp_issue && exp_block_q == '0;
  assign exp_end   = exp_issue && exp_block_q == BlockWidth'(Blocks - 1);
  assign row_count = row_count_q + RowCountWidth'(row_start) - RowCountWidth'(scale_done);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      exp_block_q <= '0;
      exp_element_q <= '0;
      exp_addr_q <= '0;
      store_addr_q <= '0;
      row_count_q <= '0;
      room_q <= 1'b1;
    end else begin
      if (exp_issue) begin
        exp_block_q <= exp_end ? '0 : exp_block_q + 1'b1;
        exp_element_q <= exp_end ? '0 : exp_element_q + ElementWidth'(Lanes);
        exp_addr_q <= exp_addr_q == InAddrWidth'(InDepth - 1) ? '0 : exp_addr_q + 1'b1;
      end
      if (store) store_addr_q <= store_addr_q == ExpAddrWidth'(ExpDepth - 1) ? '0 : store_addr_q + 1'b1;
      row_count_q <= row_count;
      room_q <= row_count != RowCountWidth'(Rows);
    end
  end

  always_ff @(posedge clk_i) begin
    if (row_start) begin
      row_max_q <= DistanceWidth'(start_max) + DistanceWidth'((1 << Drop) >> 1);
      limit_q <= start_limit;
      exp_last_q <= start_last;
    end
    element_q <= exp_element_q;
  end

  dse_event #(.Cycles(`DSE_READ(1, registers_until(TableLevel) - Loading + 2))) u_store (
    .clk_i(clk_i), .rst_ni(rst_ni), .event_i(exp_issue), .event_o(store)
  );
  dse_event #(.Width(4), .Cycles(`DSE_READ(1, Summing + 2))) u_summed (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .event_i({exp_issue, row_start, exp_end, exp_end && (row_start ? start_last : exp_last_q)}),
    .event_o({summed, summed_first, summed_end, summed_last})
  );

  always_ff @(posedge clk_i) if (store) row_memory[store_addr_q] <= exps;

  // The table, u<ExpWidth>: round(exp(-d) * (2**ExpWidth - 1)). In synthesis a memory for each lane: Yosys weighs every
  // assignment of read ports to copies. The distance is never negative where it matters: a masked element may be larger.
`ifdef SYNTHESIS
  localparam int unsigned TotalWidth = ExpWidth + TreeLevels;
  logic [InPayload-1:0] word_q, word;
  logic [DistanceWidth-1:0] row_max;
  logic [Lanes-1:0] mask_q, mask;
  logic [Lanes*TotalWidth-1:0] terms;
  logic [TotalWidth-1:0] total;

  always_ff @(posedge clk_i) begin
    word_q <= in_memory[exp_addr_q];
    mask_q <= kept(element_q, limit_q);
  end
  dse_delay #(.Width(InPayload + DistanceWidth), .Cycles(32'(registered(RowLevel)))) u_word (
    .clk_i(clk_i), .word_i({row_max_q, word_q}), .word_o({row_max, word})
  );
  dse_delay #(.Width(Lanes), .Cycles(registers_until(DistanceLevel) - Loading)) u_mask (
    .clk_i(clk_i), .word_i(mask_q), .word_o(mask)
  );
  for (genvar i = 0; i < Lanes; i++) begin : gen_exp
    logic [ExpWidth-1:0] lane_memory[1<<IndexWidth];
    logic [DistanceWidth-1:0] difference, distance;
    logic [IndexWidth-1:0] index_q;
    initial $readmemh(ExpFile, lane_memory);
    assign difference = (row_max - DistanceWidth'(word[i*InWidth+:InWidth] ^ Flip)) >> Drop;
    dse_delay #(.Width(DistanceWidth), .Cycles(32'(registered(DistanceLevel)))) u_distance (
      .clk_i(clk_i), .word_i(difference), .word_o(distance)
    );
    always_ff @(posedge clk_i)
      index_q <= 32'(distance) > (1 << IndexWidth) - 1 ? '1 : IndexWidth'(distance);
    dse_delay #(.Width(ExpWidth), .Cycles(32'(registered(TableLevel)))) u_exp (
      .clk_i(clk_i), .word_i(mask[i] ? lane_memory[index_q] : '0), .word_o(exps[i*ExpWidth+:ExpWidth])
    );
    assign terms[i*TotalWidth+:TotalWidth] = TotalWidth'(exps[i*ExpWidth+:ExpWidth]);
  end
  dse_adder_tree #(
    .Count(Lanes), .Width(TotalWidth), .SumWidth(TotalWidth), .Registers(registers_of(SumLevel, TreeLevels))
  ) u_total (
    .clk_i(clk_i), .words_i(terms), .sum_o(total)
  );
  always_ff @(posedge clk_i) if (summed) sum_q <= (summed_first ? '0 : sum_q) + SumWidth'(total);
`else
  logic [ExpWidth-1:0] exp_memory[1<<IndexWidth];
  logic [InAddrWidth-1:0] read_addr_q;
  `DSE_LOAD_MEMORY(exp_memory, ExpFile, "exp")

  function automatic logic [Lanes*IndexWidth-1:0] indices(
      input logic [InPayload-1:0] beat, input logic [DistanceWidth-1:0] maximum);
    /* verilator no_inline_task */
    logic [Lanes*IndexWidth-1:0] word;
    for (int i = 0; i < Lanes; i++) begin
      automatic logic [DistanceWidth-1:0] distance =
          (maximum - DistanceWidth'(beat[i*InWidth+:InWidth] ^ Flip)) >> Drop;
      if (32'(distance) > (1 << IndexWidth) - 1) distance = DistanceWidth'((1 << IndexWidth) - 1);
      word[i*IndexWidth+:IndexWidth] = IndexWidth'(distance);
    end
    return word;
  endfunction

  function automatic logic [SumWidth-1:0] add(input logic [SumWidth-1:0] so_far, input logic [Lanes*ExpWidth-1:0] terms);
    /* verilator no_inline_task */
    logic [SumWidth-1:0] total;
    total = so_far;
    for (int i = 0; i < Lanes; i++) total = total + SumWidth'(terms[i*ExpWidth+:ExpWidth]);
    return total;
  endfunction

  logic [Lanes*IndexWidth-1:0] index;
  logic [Lanes-1:0] mask;
  always_comb begin
    index = '0;
    exps = '0;
    mask = kept(element_q, limit_q);
    if (store) begin
      index = indices(in_memory[read_addr_q], row_max_q);
      for (int i = 0; i < Lanes; i++)
        if (mask[i]) exps[i*ExpWidth+:ExpWidth] = exp_memory[index[i*IndexWidth+:IndexWidth]];
    end
  end
  always_ff @(posedge clk_i) begin
    read_addr_q <= exp_addr_q;
    if (summed) sum_q <= add(summed_first ? '0 : sum_q, exps);
  end
`endif

  // ---- Divide. A row's sum, and whether it ends a sample.
  logic sum_push, sum_push_last, sum_valid, sum_last, sum_take, divide_last_q, quotient_valid, quotient_take;
  logic [SumWidth-1:0] sum;
  logic [QuotientWidth-1:0] quotient;

  dse_event #(.Width(2)) u_sum_push (
    .clk_i(clk_i), .rst_ni(rst_ni), .event_i({summed_end, summed_last}), .event_o({sum_push, sum_push_last})
  );
  dse_row_queue #(.Width(SumWidth + 1), .Depth(Rows), .Delay(`DSE_READ(Summing + 1, 0))) u_sums (
    .clk_i(clk_i), .rst_ni(rst_ni), .push_i(sum_push), .word_i({sum_push_last, sum_q}),
    .valid_o(sum_valid), .pop_i(sum_take), .word_o({sum_last, sum})
  );
  dse_divider #(.DivisorWidth(SumWidth), .QuotientWidth(QuotientWidth), .StartBit(ExpWidth - 1)) u_divider (
    .clk_i(clk_i), .rst_ni(rst_ni), .valid_i(sum_valid), .divisor_i(sum), .take_o(sum_take),
    .valid_o(quotient_valid), .take_i(quotient_take), .quotient_o(quotient)
  );

  // ---- Scale.
  logic free, scale_issue, scale_last_q, result_push, result_last;
  logic [BlockWidth-1:0] scale_block_q;
  logic [ExpAddrWidth-1:0] scale_addr_q;
  logic [QuotientWidth-1:0] factor_q;
  logic [OutPayload-1:0] result;

  assign scale_issue   = free && (scale_block_q != '0 || quotient_valid);
  assign scale_done    = scale_issue && scale_block_q == BlockWidth'(Blocks - 1);
  assign quotient_take = scale_issue && scale_block_q == '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      scale_block_q <= '0;
      scale_addr_q <= '0;
    end else if (scale_issue) begin
      scale_block_q <= scale_done ? '0 : scale_block_q + 1'b1;
      scale_addr_q <= scale_addr_q == ExpAddrWidth'(ExpDepth - 1) ? '0 : scale_addr_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (sum_take) divide_last_q <= sum_last;
    if (quotient_take) begin
      factor_q <= quotient;
      scale_last_q <= divide_last_q;
    end
  end

  dse_event #(.Width(2), .Cycles(`DSE_READ(1, Scaling + 1))) u_result (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .event_i({scale_issue, scale_done && (quotient_take ? divide_last_q : scale_last_q)}),
    .event_o({result_push, result_last})
  );

`ifdef SYNTHESIS
  logic [Lanes*ExpWidth-1:0] stored_q, stored;
  logic [QuotientWidth-1:0] factor;

  always_ff @(posedge clk_i) stored_q <= row_memory[scale_addr_q];
  dse_delay #(.Width(Lanes * ExpWidth + QuotientWidth), .Cycles(32'(registered(StoredLevel)))) u_stored (
    .clk_i(clk_i), .word_i({factor_q, stored_q}), .word_o({factor, stored})
  );
  for (genvar i = 0; i < Lanes; i++) begin : gen_result
    logic [ProductWidth-1:0] product, value;
    assign product = ProductWidth'(stored[i*ExpWidth+:ExpWidth]) * ProductWidth'(factor);
    dse_delay #(.Width(ProductWidth), .Cycles(32'(registered(ProductLevel)))) u_product (
      .clk_i(clk_i), .word_i(product), .word_o(value)
    );
    dse_requantizer #(
      .Width(ProductWidth), .ShiftWidth(ShiftWidth), .OutWidth(OutWidth), .Rounding(Rounding), .Overflow(Overflow),
      .ClampLow(ClampLow), .ClampHigh(ClampHigh), .Registers({registered(Levels), 1'b0})
    ) u_result (
      .clk_i(clk_i), .value_i(value), .shift_i(ShiftWidth'(Shift)), .word_o(result[i*OutWidth+:OutWidth])
    );
  end
`else
  localparam int unsigned RqWidth      = ProductWidth;
  localparam int unsigned RqShiftWidth = ShiftWidth;
  `include "dse_requantize.svh"

  logic [ExpAddrWidth-1:0] stored_addr_q;
  always_ff @(posedge clk_i) stored_addr_q <= scale_addr_q;

  function automatic logic [OutPayload-1:0] scaled(
      input logic [Lanes*ExpWidth-1:0] row, input logic [QuotientWidth-1:0] factor);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    for (int i = 0; i < Lanes; i++)
      word[i*OutWidth+:OutWidth] =
          requantize(signed'(RqWidth'(row[i*ExpWidth+:ExpWidth]) * RqWidth'(factor)), RqShiftWidth'(Shift));
    return word;
  endfunction

  always_comb begin
    result = '0;
    if (result_push) result = scaled(row_memory[stored_addr_q], factor_q);
  end
`endif

  dse_credit_fifo #(.Width(OutPayload), .Depth(Scaling + 3), .Delay(`DSE_READ(Scaling, 0))) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .reserve_i(scale_issue), .free_o(free),
    .push_i(result_push), .payload_i(result), .last_i(result_last),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
