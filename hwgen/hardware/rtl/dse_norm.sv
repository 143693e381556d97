`include "dse_memory.svh"

/// Normalisation of rows of n = Blocks * Lanes elements: dse_layer_norm (`Centred`) and dse_rms_norm say what it computes.
///
/// Four steps work on different rows at once: load and sums (Blocks cycles), root (RootBits + 1), division (RootBits + 2), and
/// normalisation (Blocks). A row takes max(Blocks, RootBits + 2) cycles; latency of the first one
/// 2 * Blocks + 2 * RootBits + Stages + 7.
/// Sums, radicand and normalisation are pipelines that never stop, with `Stages` registers (`dse_stages.svh`) in all.
/// Levels: the squares, each level of the adder tree; the products of the sums, their difference (both if centred), epsilon, each
/// level of the shift that removes leading zeros; the stored word, n times the elements, their difference to the sum (both
/// if centred), the product with the factor, the shift in two levels, its rounding, the product with gamma, beta (if
/// centred), the rounding of the result. The running sums have registers of their own.
/// A row starts when there is room to store it, a beat of results when the output has a place for it.
/// Every output is a function of registers only. Reset forgets all data in flight; memories are kept.
module dse_norm #(
  parameter bit          Centred     = 1,    // the mean is removed, and beta added
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
  parameter int unsigned NumWidth    = 13,   // bits of what is divided by the root, two's complement
  parameter int unsigned ZWidth      = 14,   // bits of z, two's complement
  parameter int unsigned GammaWidth  = 10,   // bits of gamma, two's complement
  parameter int unsigned AccWidth    = 25,   // bits of z * gamma + beta
  parameter int unsigned ShiftWidth  = 5,    // bits of the requantisation shift
  parameter int unsigned OutWidth    = 8,    // bits of an output element
  parameter int unsigned Stages      = 0,    // registers within the arithmetic, at most Levels
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

  localparam int unsigned Size = Lanes * Blocks;
  // Levels by number: before the running sums, of the radicand, of the normalisation.
  localparam int unsigned TreeLevels      = $clog2(Lanes);
  localparam int unsigned SquareLevel     = 1;
  localparam int unsigned SumLevel        = SquareLevel + 1;
  localparam int unsigned MomentLevel     = SumLevel + TreeLevels;
  localparam int unsigned VarianceLevel   = MomentLevel + 1;
  localparam int unsigned EpsilonLevel    = Centred ? VarianceLevel + 1 : MomentLevel;
  localparam int unsigned LeadingLevel    = EpsilonLevel + 1;
  localparam int unsigned LeadingLevels   = $clog2(HalfWidth - Guard);
  localparam int unsigned StoredLevel     = LeadingLevel + LeadingLevels;
  localparam int unsigned MultipleLevel   = StoredLevel + 1;
  localparam int unsigned DifferenceLevel = MultipleLevel + 1;
  localparam int unsigned FactorLevel     = Centred ? DifferenceLevel + 1 : StoredLevel + 1;
  localparam int unsigned CoarseLevel     = FactorLevel + 1;
  localparam int unsigned FineLevel       = CoarseLevel + 1;
  localparam int unsigned GammaLevel      = FineLevel + 2;  // rounding between them
  localparam int unsigned BetaLevel       = GammaLevel + 1;
  localparam int unsigned ResultLevel     = Centred ? BetaLevel + 1 : GammaLevel + 1;
  localparam int unsigned Levels          = ResultLevel;
  `include "dse_stages.svh"
  localparam int unsigned Adding    = registers_until(MomentLevel - 1);
  localparam int unsigned Preparing = registers_until(StoredLevel - 1) - Adding;
  localparam int unsigned Scaling   = Stages - Adding - Preparing;

  localparam int unsigned RowCycles = Blocks > RootBits + 2 ? Blocks : RootBits + 2;
  // Rows that are stored: those that start until one is normalised.
  localparam int unsigned Rows = (2 * Blocks + 2 * RootBits + Adding + Preparing + 4 + RowCycles - 1) / RowCycles;

  localparam int unsigned BlockWidth    = Blocks > 1 ? $clog2(Blocks) : 1;
  localparam int unsigned RowDepth      = Rows * Blocks;
  localparam int unsigned AddrWidth     = RowDepth > 1 ? $clog2(RowDepth) : 1;
  localparam int unsigned RowCountWidth = $clog2(Rows + 1);
  localparam int unsigned WideWidth     = 2 * HalfWidth;  // of the products; modulo 2**WideWidth their difference is exact
  localparam int unsigned PairWidth     = $clog2(HalfWidth + 1);
  localparam int unsigned MaxShift      = RootBits - 1 + HalfWidth - Guard - Fraction;
  localparam int unsigned NormWidth     = $clog2(MaxShift + 2);
  localparam int unsigned ScaledWidth   = NumWidth + RootBits + 2;

  (* no_rw_check *) logic [InPayload-1:0] row_memory[RowDepth];  // a word is written again only after it was read
  logic [Lanes*GammaWidth-1:0] gamma_memory  [Blocks];
  logic [WideWidth-1:0]        epsilon_memory[1];
  logic [ShiftWidth-1:0]       shift_memory  [1];
  `DSE_LOAD_MEMORY(gamma_memory, GammaFile, "gamma")
  `DSE_LOAD_MEMORY(epsilon_memory, EpsilonFile, "epsilon")
  `DSE_LOAD_MEMORY(shift_memory, ShiftFile, "shift")

  function automatic logic signed [InWidth:0] element(input logic [InWidth-1:0] bits);
    return signed'({InSigned & bits[InWidth-1], bits});
  endfunction

  // ---- Load and sums. `row_count_q` counts the rows that started and have not been normalised.
  logic push, fill_start, fill_end, room_q, scale_done, summed, summed_first, summed_end, summed_last;
  logic sums_valid, sums_last;
  logic [BlockWidth-1:0] fill_block_q;
  logic [AddrWidth-1:0] fill_addr_q;
  logic [RowCountWidth-1:0] row_count_q, row_count;
  logic signed [SumWidth-1:0] sum_q, sum;
  logic [SquareWidth-1:0] square_q, square;

  assign in_ready_o = fill_block_q != '0 || room_q;
  assign push       = in_valid_i && in_ready_o;
  assign fill_start = push && fill_block_q == '0;
  assign fill_end   = push && fill_block_q == BlockWidth'(Blocks - 1);
  assign row_count  = row_count_q + RowCountWidth'(fill_start) - RowCountWidth'(scale_done);

  // Alone in its process: Verilator 5.048 drops this write beside function calls.
  always_ff @(posedge clk_i) if (push) row_memory[fill_addr_q] <= in_payload_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fill_block_q <= '0;
      fill_addr_q <= '0;
      row_count_q <= '0;
      room_q <= 1'b1;
    end else begin
      if (push) begin
        fill_block_q <= fill_end ? '0 : fill_block_q + 1'b1;
        fill_addr_q <= fill_addr_q == AddrWidth'(RowDepth - 1) ? '0 : fill_addr_q + 1'b1;
      end
      row_count_q <= row_count;
      room_q <= row_count != RowCountWidth'(Rows);
    end
  end

  dse_event #(.Width(4), .Cycles(`DSE_READ(0, Adding))) u_summed (
    .clk_i(clk_i), .rst_ni(rst_ni), .event_i({push, fill_start, fill_end, fill_end && in_last_i}),
    .event_o({summed, summed_first, summed_end, summed_last})
  );
  dse_event #(.Width(2)) u_sums (
    .clk_i(clk_i), .rst_ni(rst_ni), .event_i({summed_end, summed_last}), .event_o({sums_valid, sums_last})
  );

`ifdef SYNTHESIS
  localparam int unsigned TermWidth = 2 * InWidth + 1;
  localparam int unsigned BeatWidth = TermWidth + TreeLevels < SquareWidth ? TermWidth + TreeLevels : SquareWidth;
  logic [Lanes*TermWidth-1:0] squares, square_terms;
  logic [BeatWidth-1:0] beat_square;
  for (genvar i = 0; i < Lanes; i++) begin : gen_square
    logic signed [TermWidth-1:0] x;
    assign x = TermWidth'(element(in_payload_i[i*InWidth+:InWidth]));
    assign squares[i*TermWidth+:TermWidth] = x * x;
  end
  dse_delay #(.Width(Lanes * TermWidth), .Cycles(32'(registered(SquareLevel)))) u_squares (
    .clk_i(clk_i), .word_i(squares), .word_o(square_terms)
  );
  dse_adder_tree #(
    .Count(Lanes), .Width(TermWidth), .SumWidth(BeatWidth), .Registers(registers_of(SumLevel, TreeLevels))
  ) u_square (
    .clk_i(clk_i), .words_i(square_terms), .sum_o(beat_square)
  );
  assign square = (summed_first ? '0 : square_q) + SquareWidth'(beat_square);

  if (Centred) begin : gen_sum
    localparam int unsigned TotalWidth = InWidth + 1 + TreeLevels < SumWidth ? InWidth + 1 + TreeLevels : SumWidth;
    logic [Lanes*(InWidth+1)-1:0] elements;
    logic [InPayload-1:0] beat;
    logic signed [TotalWidth-1:0] beat_sum;
    dse_delay #(.Width(InPayload), .Cycles(32'(registered(SquareLevel)))) u_beat (
      .clk_i(clk_i), .word_i(in_payload_i), .word_o(beat)
    );
    for (genvar i = 0; i < Lanes; i++) begin : gen_element
      assign elements[i*(InWidth+1)+:InWidth+1] = element(beat[i*InWidth+:InWidth]);
    end
    dse_adder_tree #(
      .Count(Lanes), .Width(InWidth + 1), .SumWidth(TotalWidth), .Registers(registers_of(SumLevel, TreeLevels))
    ) u_sum (
      .clk_i(clk_i), .words_i(elements), .sum_o(beat_sum)
    );
    assign sum = (summed_first ? '0 : sum_q) + SumWidth'(beat_sum);
  end else begin : gen_no_sum
    assign sum = '0;
  end
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

  always_comb begin
    sum = '0;
    square = '0;
    if (summed) begin
      if (Centred) sum = add_elements(summed_first ? '0 : sum_q, in_payload_i);
      square = add_squares(summed_first ? '0 : square_q, in_payload_i);
    end
  end
`endif

  always_ff @(posedge clk_i) begin
    if (summed) begin
      sum_q <= sum;
      square_q <= square;
    end
  end

  // ---- Radicand: w without its leading zero pairs.
  logic [WideWidth-1:0] leading;
  logic [PairWidth-1:0] zero_pairs;
  logic row_push, row_last;
  logic signed [SumWidth-1:0] row_sum;

  dse_event #(.Width(2), .Cycles(`DSE_READ(0, Preparing))) u_row (
    .clk_i(clk_i), .rst_ni(rst_ni), .event_i({sums_valid, sums_last}), .event_o({row_push, row_last})
  );

`ifdef SYNTHESIS
  logic [WideWidth-1:0] variance, w, w_sum;
  if (Centred) begin : gen_variance
    logic [WideWidth-1:0] scaled_square, squared_sum, difference;
    dse_delay #(.Width(2 * WideWidth), .Cycles(32'(registered(MomentLevel)))) u_moments (
      .clk_i(clk_i), .word_i({WideWidth'(square_q) * WideWidth'(Size), WideWidth'(sum_q) * WideWidth'(sum_q)}),
      .word_o({scaled_square, squared_sum})
    );
    assign difference = scaled_square - squared_sum;
    dse_delay #(.Width(WideWidth), .Cycles(32'(registered(VarianceLevel)))) u_variance (
      .clk_i(clk_i), .word_i(difference), .word_o(variance)
    );
    dse_delay #(.Width(SumWidth), .Cycles(Preparing)) u_sum (.clk_i(clk_i), .word_i(sum_q), .word_o(row_sum));
  end else begin : gen_second_moment
    assign variance = WideWidth'(square_q);
    assign row_sum  = sum_q;
  end
  assign w_sum = (variance << (2 * Guard)) + epsilon_memory[0];
  dse_delay #(.Width(WideWidth), .Cycles(32'(registered(EpsilonLevel)))) u_epsilon (
    .clk_i(clk_i), .word_i(w_sum), .word_o(w)
  );
  dse_normalizer #(
    .Width(WideWidth), .Guard(Guard), .Registers(registers_of(LeadingLevel, LeadingLevels))
  ) u_leading (
    .clk_i(clk_i), .word_i(w), .word_o(leading), .pairs_o(zero_pairs)
  );
`else
  logic [WideWidth-1:0] w;
  assign row_sum = sum_q;

  function automatic logic [PairWidth-1:0] leading_zero_pairs(input logic [WideWidth-1:0] value);
    logic [PairWidth-1:0] pairs;
    pairs = PairWidth'(HalfWidth - 1 - Guard);
    for (int p = Guard; p < HalfWidth; p++) if (value[2*p+:2] != 2'b00) pairs = PairWidth'(HalfWidth - 1 - p);
    return pairs;
  endfunction

  always_comb begin
    w = '0;
    if (row_push) begin
      w = WideWidth'(square_q);
      if (Centred) w = w * WideWidth'(Size) - WideWidth'(sum_q) * WideWidth'(sum_q);
      w = (w << (2 * Guard)) + epsilon_memory[0];
    end
    zero_pairs = leading_zero_pairs(w);
    leading = w << {zero_pairs, 1'b0};
  end
`endif

  // ---- Root and division; what normalises a row beside its factor waits meanwhile.
  logic radicand_valid, radicand_take, root_valid, root_take, factor_valid, factor_take, row_valid, start_last;
  logic [2*RootBits-1:0] radicand;
  logic [RootBits-1:0] root;
  logic [RootBits:0] factor;
  logic [NormWidth-1:0] start_norm;
  logic signed [SumWidth-1:0] start_sum;

  dse_row_queue #(.Width(2 * RootBits), .Depth(Rows), .Delay(`DSE_READ(Adding + Preparing, 0))) u_radicands (
    .clk_i(clk_i), .rst_ni(rst_ni), .push_i(row_push), .word_i((2 * RootBits)'(leading >> (WideWidth - 2 * RootBits))),
    .valid_o(radicand_valid), .pop_i(radicand_take), .word_o(radicand)
  );
  dse_root #(.RootBits(RootBits)) u_root (
    .clk_i(clk_i), .rst_ni(rst_ni), .valid_i(radicand_valid), .radicand_i(radicand), .take_o(radicand_take),
    .valid_o(root_valid), .take_i(root_take), .root_o(root)
  );
  // The upper bits of the numerator are less than any root.
  dse_divider #(.DivisorWidth(RootBits), .QuotientWidth(RootBits + 1), .StartBit(RootBits - 2)) u_divider (
    .clk_i(clk_i), .rst_ni(rst_ni), .valid_i(root_valid), .divisor_i(root), .take_o(root_take),
    .valid_o(factor_valid), .take_i(factor_take), .quotient_o(factor)
  );
  dse_row_queue #(.Width(SumWidth + NormWidth + 1), .Depth(Rows)) u_rows (
    .clk_i(clk_i), .rst_ni(rst_ni), .push_i(row_push),
    .word_i({row_last, NormWidth'(MaxShift) - NormWidth'(zero_pairs), row_sum}),
    .valid_o(row_valid), .pop_i(factor_take), .word_o({start_last, start_norm, start_sum})
  );

  // ---- Normalisation.
  logic free, scale_issue, last_q, result_push, result_last;
  logic [BlockWidth-1:0] block_q;
  logic [AddrWidth-1:0] addr_q;
  logic [RootBits:0] factor_q;
  logic [NormWidth-1:0] norm_q;
  logic signed [SumWidth-1:0] total_q;
  logic [OutPayload-1:0] result;

  assign scale_issue = free && (block_q != '0 || (factor_valid && row_valid));
  assign scale_done  = scale_issue && block_q == BlockWidth'(Blocks - 1);
  assign factor_take = scale_issue && block_q == '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      block_q <= '0;
      addr_q <= '0;
    end else if (scale_issue) begin
      block_q <= scale_done ? '0 : block_q + 1'b1;
      addr_q <= addr_q == AddrWidth'(RowDepth - 1) ? '0 : addr_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (factor_take) begin
      factor_q <= factor;
      norm_q <= start_norm;
      total_q <= start_sum;
      last_q <= start_last;
    end
  end

  dse_event #(.Width(2), .Cycles(`DSE_READ(1, Scaling + 1))) u_result (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .event_i({scale_issue, scale_done && (factor_take ? start_last : last_q)}), .event_o({result_push, result_last})
  );

`ifdef SYNTHESIS
  localparam int unsigned Base       = Adding + Preparing;
  localparam int unsigned FineWidth  = ZWidth + 5;  // before the fine shift: up to three bits more, one below, one spare
  // Cycles from the stored word to the inputs of later levels. A constant's word has a register more, where one is before.
  localparam int unsigned FactorDelay = registers_until(FactorLevel - 1) - Base;
  localparam int unsigned CoarseDelay = registers_until(CoarseLevel - 1) - Base;
  localparam int unsigned FineDelay   = registers_until(FineLevel - 1) - Base;
  localparam int unsigned GammaDelay  = registers_until(GammaLevel - 1) - Base;
  localparam int unsigned GammaWord   = GammaDelay > 0 ? 1 : 0;

  logic [InPayload-1:0] stored_q, stored;
  logic [Lanes*NumWidth-1:0] numerators;
  logic [RootBits:0] row_factor;
  logic [NormWidth-1:0] coarse_norm;
  logic [1:0] fine_norm;
  logic [BlockWidth-1:0] gamma_block;
  logic [Lanes*GammaWidth-1:0] gamma_q, gamma;
  logic [Lanes*AccWidth-1:0] beta;

  always_ff @(posedge clk_i) begin
    stored_q <= row_memory[addr_q];
    gamma_q <= gamma_memory[gamma_block];
  end
  dse_delay #(.Width(InPayload), .Cycles(32'(registered(StoredLevel)))) u_stored (
    .clk_i(clk_i), .word_i(stored_q), .word_o(stored)
  );
  dse_delay #(.Width(RootBits + 1), .Cycles(FactorDelay)) u_factor (
    .clk_i(clk_i), .word_i(factor_q), .word_o(row_factor)
  );
  dse_delay #(.Width(NormWidth), .Cycles(CoarseDelay)) u_coarse_norm (
    .clk_i(clk_i), .word_i(norm_q), .word_o(coarse_norm)
  );
  dse_delay #(.Width(2), .Cycles(FineDelay - CoarseDelay)) u_fine_norm (
    .clk_i(clk_i), .word_i(2'(coarse_norm)), .word_o(fine_norm)
  );
  dse_delay #(.Width(BlockWidth), .Cycles(GammaDelay - GammaWord)) u_gamma_block (
    .clk_i(clk_i), .word_i(block_q), .word_o(gamma_block)
  );
  dse_delay #(.Width(Lanes * GammaWidth), .Cycles(GammaWord)) u_gamma (
    .clk_i(clk_i), .word_i(gamma_q), .word_o(gamma)
  );

  if (Centred) begin : gen_centred
    localparam int unsigned SumDelay  = registers_until(DifferenceLevel - 1) - Base;
    localparam int unsigned BetaDelay = registers_until(BetaLevel - 1) - Base;
    localparam int unsigned BetaWord  = BetaDelay > 0 ? 1 : 0;
    logic [Lanes*AccWidth-1:0] beta_memory[Blocks];
    logic [BlockWidth-1:0] beta_block;
    logic [Lanes*AccWidth-1:0] beta_q;
    logic signed [SumWidth-1:0] total;
    logic [Lanes*NumWidth-1:0] multiples, multiple, differences;
    `DSE_LOAD_MEMORY(beta_memory, BetaFile, "beta")
    always_ff @(posedge clk_i) beta_q <= beta_memory[beta_block];
    dse_delay #(.Width(BlockWidth), .Cycles(BetaDelay - BetaWord)) u_beta_block (
      .clk_i(clk_i), .word_i(block_q), .word_o(beta_block)
    );
    dse_delay #(.Width(Lanes * AccWidth), .Cycles(BetaWord)) u_beta (
      .clk_i(clk_i), .word_i(beta_q), .word_o(beta)
    );
    dse_delay #(.Width(SumWidth), .Cycles(SumDelay)) u_total (.clk_i(clk_i), .word_i(total_q), .word_o(total));
    for (genvar i = 0; i < Lanes; i++) begin : gen_numerator
      assign multiples[i*NumWidth+:NumWidth] = NumWidth'(element(stored[i*InWidth+:InWidth])) * NumWidth'(Size);
      assign differences[i*NumWidth+:NumWidth] = multiple[i*NumWidth+:NumWidth] - NumWidth'(total);
    end
    dse_delay #(.Width(Lanes * NumWidth), .Cycles(32'(registered(MultipleLevel)))) u_multiple (
      .clk_i(clk_i), .word_i(multiples), .word_o(multiple)
    );
    dse_delay #(.Width(Lanes * NumWidth), .Cycles(32'(registered(DifferenceLevel)))) u_difference (
      .clk_i(clk_i), .word_i(differences), .word_o(numerators)
    );
  end else begin : gen_elements
    assign beta = '0;
    for (genvar i = 0; i < Lanes; i++) begin : gen_numerator
      assign numerators[i*NumWidth+:NumWidth] = NumWidth'(element(stored[i*InWidth+:InWidth]));
    end
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_result
    logic signed [ScaledWidth-1:0] product, scaled;
    logic signed [ScaledWidth:0] shifted;  // one more bit below
    logic signed [FineWidth-1:0] fine;
    logic signed [ZWidth-1:0] z;
    logic signed [AccWidth-1:0] weighted, weight, sum_of_both, acc;
    assign product = signed'(numerators[i*NumWidth+:NumWidth]) * signed'(ScaledWidth'(row_factor));
    dse_delay #(.Width(ScaledWidth), .Cycles(32'(registered(FactorLevel)))) u_scaled (
      .clk_i(clk_i), .word_i(product), .word_o(scaled)
    );
    assign shifted = signed'({scaled, 1'b0}) >>> (32'(coarse_norm) & ~32'd3);
    dse_delay #(.Width(FineWidth), .Cycles(32'(registered(CoarseLevel)))) u_shifted (
      .clk_i(clk_i), .word_i(FineWidth'(shifted)), .word_o(fine)
    );
    dse_requantizer #(
      .Width(FineWidth), .ShiftWidth(3), .OutWidth(ZWidth), .Rounding(1), .Overflow(0),
      .Registers(2'(registers_of(FineLevel, 2)))
    ) u_rounded (
      .clk_i(clk_i), .value_i(fine), .shift_i({1'b0, fine_norm} + 3'd1), .word_o(z)
    );
    assign weighted = AccWidth'(z) * AccWidth'(signed'(gamma[i*GammaWidth+:GammaWidth]));
    dse_delay #(.Width(AccWidth), .Cycles(32'(registered(GammaLevel)))) u_weighted (
      .clk_i(clk_i), .word_i(weighted), .word_o(weight)
    );
    assign sum_of_both = weight + signed'(beta[i*AccWidth+:AccWidth]);
    dse_delay #(.Width(AccWidth), .Cycles(Centred ? 32'(registered(BetaLevel)) : 0)) u_acc (
      .clk_i(clk_i), .word_i(sum_of_both), .word_o(acc)
    );
    dse_requantizer #(
      .Width(AccWidth), .ShiftWidth(ShiftWidth), .OutWidth(OutWidth), .Rounding(Rounding), .Overflow(Overflow),
      .ClampLow(ClampLow), .ClampHigh(ClampHigh), .Registers({registered(ResultLevel), 1'b0})
    ) u_result (
      .clk_i(clk_i), .value_i(acc), .shift_i(shift_memory[0]), .word_o(result[i*OutWidth+:OutWidth])
    );
  end
`else
  localparam int unsigned RqWidth      = AccWidth;
  localparam int unsigned RqShiftWidth = ShiftWidth;
  `include "dse_requantize.svh"

  logic [AddrWidth-1:0] read_addr_q;
  logic [BlockWidth-1:0] read_block_q;
  logic [Lanes*AccWidth-1:0] beta;
  always_ff @(posedge clk_i) begin
    read_addr_q <= addr_q;
    read_block_q <= block_q;
  end
  if (Centred) begin : gen_beta
    logic [Lanes*AccWidth-1:0] beta_memory[Blocks];
    `DSE_LOAD_MEMORY(beta_memory, BetaFile, "beta")
    assign beta = beta_memory[read_block_q];
  end else begin : gen_no_beta
    assign beta = '0;
  end

  function automatic logic [OutPayload-1:0] normalised(
      input logic [InPayload-1:0] beat, input logic signed [SumWidth-1:0] total, input logic [RootBits:0] scale,
      input logic [NormWidth-1:0] norm, input logic [Lanes*GammaWidth-1:0] gamma, input logic [Lanes*AccWidth-1:0] offset,
      input logic [ShiftWidth-1:0] shift);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    logic signed [ScaledWidth-1:0] half;
    half = norm == '0 ? '0 : ScaledWidth'(1) << (norm - 1'b1);
    for (int i = 0; i < Lanes; i++) begin
      automatic logic signed [NumWidth-1:0] numerator = NumWidth'(element(beat[i*InWidth+:InWidth]));
      automatic logic signed [ZWidth-1:0] z;
      if (Centred) numerator = numerator * NumWidth'(Size) - NumWidth'(total);
      z = ZWidth'((ScaledWidth'(numerator) * signed'(ScaledWidth'(scale)) + half) >>> norm);
      word[i*OutWidth+:OutWidth] = requantize(
          AccWidth'(z) * AccWidth'(signed'(gamma[i*GammaWidth+:GammaWidth])) + signed'(offset[i*AccWidth+:AccWidth]),
          shift);
    end
    return word;
  endfunction

  always_comb begin
    result = '0;
    if (result_push)
      result = normalised(row_memory[read_addr_q], total_q, factor_q, norm_q, gamma_memory[read_block_q], beta,
                          shift_memory[0]);
  end
`endif

  dse_credit_fifo #(.Width(OutPayload), .Depth(Scaling + 3), .Delay(`DSE_READ(Scaling, 0))) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .reserve_i(scale_issue), .free_o(free),
    .push_i(result_push), .payload_i(result), .last_i(result_last),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
