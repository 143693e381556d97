`include "dse_memory.svh"

/// Conversion of integers to shared-exponent blocks.
///
/// A block is `BlockBeats` beats, fewer at the end of a token, or `1 / SubBlocks` of a beat. Its exponent is the smallest
/// `e` with which every mantissa round(x * 2**-(shift + e)) fits, else the largest `e`, and then mantissas saturate.
/// A beat waits in a short buffer until its block is complete: beats + BlockBeats + Stages + 4 cycles from the first beat of
/// a sample to its last result. One beat per cycle.
/// Extremes, exponent and mantissas are pipelines that never stop, with `Stages` registers (`dse_stages.svh`) in all. Levels:
/// each level of the trees over a beat; for minifloats the lower extreme's magnitude; which exponents fit, the smallest of
/// them; the stored beat, for minifloats magnitude, place of the top bit and exponent of each element; shift and rounding, for
/// minifloats the code. The extremes of a block have registers of their own. A beat is issued when the output has a place.
/// Every output is a function of registers only. Reset forgets all data in flight; the shift is kept.
module dse_to_mx #(
  parameter int unsigned Lanes         = 4,   // elements per beat
  parameter int unsigned TokenBeats    = 8,   // beats per token; a block ends with its token
  parameter int unsigned BlockBeats    = 4,   // beats per block, 1 to TokenBeats
  parameter int unsigned SubBlocks     = 1,   // blocks per beat, 1 if BlockBeats > 1
  parameter int unsigned InWidth       = 16,  // bits of an input element
  parameter bit          InSigned      = 1,
  parameter int unsigned MantissaWidth = 4,   // bits of an element
  parameter int unsigned Code          = 0,   // how it is written: a two's-complement mantissa, or as in dse_decode.svh
  parameter int unsigned ExpWidth      = 3,   // bits of an exponent
  parameter int unsigned ShiftWidth    = 5,   // bits of the shift that exponent 0 stands for
  parameter int unsigned Stages        = 0,   // registers within the arithmetic, at most Levels
  parameter int          Rounding      = 1,
  parameter              ShiftFile     = "",  // one shift
  localparam int unsigned InPayload    = Lanes * InWidth,
  localparam int unsigned OutPayload   = Lanes * MantissaWidth + SubBlocks * ExpWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  in_valid_i,
  output logic                  in_ready_o,
  input  logic [InPayload-1:0]  in_payload_i,
  input  logic                  in_last_i,     // last beat of a sample
  output logic                  out_valid_o,
  input  logic                  out_ready_i,
  output logic [OutPayload-1:0] out_payload_o, // exponents above the mantissas
  output logic                  out_last_o
);

  localparam int unsigned SubLanes   = Lanes / SubBlocks;
  localparam int unsigned MaxExp     = (1 << ExpWidth) - 1;
  localparam int unsigned EmWidth    = SubBlocks * ExpWidth;

  // Levels by number: before the extremes of a block, of its exponent, of the elements.
  localparam int unsigned TreeLevels    = $clog2(SubLanes);
  localparam int unsigned NegativeLevel = TreeLevels + 1;  // minifloats only
  localparam int unsigned FitLevel      = Code > 0 ? NegativeLevel + 1 : NegativeLevel;
  localparam int unsigned StoredLevel   = FitLevel + 2;  // the exponent between them
  localparam int unsigned ShiftLevel    = StoredLevel + (Code > 0 ? 4 : 1);
  localparam int unsigned Levels        = ShiftLevel + (Code > 0 ? 2 : 1);
  `include "dse_stages.svh"
  localparam int unsigned Searching  = registers_until(TreeLevels);
  localparam int unsigned Choosing   = registers_until(StoredLevel - 1) - Searching;
  localparam int unsigned Converting = Stages - Searching - Choosing;

  // A beat stays until its block is complete, has an exponent and the beat is read.
  localparam int unsigned Depth      = BlockBeats + Searching + Choosing + 2;
  localparam int unsigned AddrWidth  = $clog2(Depth);
  localparam int unsigned CountWidth = $clog2(Depth + 1);
  localparam int unsigned BeatWidth  = TokenBeats > 1 ? $clog2(TokenBeats) : 1;
  localparam int unsigned ValueWidth = InWidth + 1 > MantissaWidth ? InWidth + 1 : MantissaWidth;  // with a sign

  // Minifloats (Code > 0): bits of their own mantissa, and the place of the top bit of the largest one's integer.
  localparam int unsigned OwnMantissa = MantissaWidth - 1 - Code;
  localparam int unsigned TopPlace    = OwnMantissa + (1 << Code) - 2;

  logic [ShiftWidth-1:0] shift_memory[1];
  `DSE_LOAD_MEMORY(shift_memory, ShiftFile, "shift")

  function automatic logic [AddrWidth-1:0] advance(input logic [AddrWidth-1:0] address);
    return address == AddrWidth'(Depth - 1) ? '0 : address + 1'b1;
  endfunction

  function automatic logic ends_block(input logic [BeatWidth-1:0] beat, input logic [BeatWidth-1:0] block_beat);
    return beat == BeatWidth'(TokenBeats - 1) || block_beat == BeatWidth'(BlockBeats - 1);
  endfunction

  function automatic logic signed [ValueWidth-1:0] element(input logic [InPayload-1:0] beat, input int i);
    return ValueWidth'(signed'({InSigned & beat[i*InWidth+InWidth-1], beat[i*InWidth+:InWidth]}));
  endfunction

  // ---- Writer: the buffer, and beside it the position of the beat.
  (* no_rw_check *) logic [InPayload:0] memory[Depth];  // `last` above the elements; a beat is read before it is overwritten
  logic push, full_q, issue, block_done;
  logic [AddrWidth-1:0] write_addr_q;
  logic [CountWidth-1:0] count_q, count;
  logic [BeatWidth-1:0] beat_q, block_beat_q;

  assign in_ready_o = !full_q;
  assign push       = in_valid_i && in_ready_o;
  assign block_done = push && ends_block(beat_q, block_beat_q);
  assign count      = count_q + CountWidth'(push) - CountWidth'(issue);

  always_ff @(posedge clk_i) if (push) memory[write_addr_q] <= {in_last_i, in_payload_i};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_addr_q <= '0;
      count_q <= '0;
      full_q <= 1'b0;
      beat_q <= '0;
      block_beat_q <= '0;
    end else begin
      count_q <= count;
      full_q <= count == CountWidth'(Depth);
      if (push) begin
        write_addr_q <= advance(write_addr_q);
        beat_q       <= beat_q == BeatWidth'(TokenBeats - 1) ? '0 : beat_q + 1'b1;
        block_beat_q <= block_done ? '0 : block_beat_q + 1'b1;
      end
    end
  end

  // ---- Extremes of the block, then its exponent. Rounding is monotone, so the extremes decide.
  logic searched, searched_first, searched_end, extremes_valid, exponents_push, exponents_valid, exponents_pop;
  logic [EmWidth-1:0] chosen, next_exponents;

  dse_event #(.Width(3), .Cycles(`DSE_READ(0, Searching))) u_searched (
    .clk_i(clk_i), .rst_ni(rst_ni), .event_i({push, block_beat_q == '0, block_done}),
    .event_o({searched, searched_first, searched_end})
  );
  dse_event u_extremes (.clk_i(clk_i), .rst_ni(rst_ni), .event_i(searched_end), .event_o(extremes_valid));
  dse_event #(.Cycles(`DSE_READ(0, Choosing))) u_exponents_push (
    .clk_i(clk_i), .rst_ni(rst_ni), .event_i(extremes_valid), .event_o(exponents_push)
  );
  dse_row_queue #(.Width(EmWidth), .Depth(Depth), .Delay(`DSE_READ(Searching + Choosing, 0))) u_exponents (
    .clk_i(clk_i), .rst_ni(rst_ni), .push_i(exponents_push), .word_i(chosen),
    .valid_o(exponents_valid), .pop_i(exponents_pop), .word_o(next_exponents)
  );

  // ---- Reader: the beats of finished blocks.
  logic free, result_push, result_last;
  logic [AddrWidth-1:0] read_addr_q;
  logic [BeatWidth-1:0] read_beat_q, read_block_beat_q;
  logic [EmWidth-1:0] exponents_q;
  logic [OutPayload-1:0] out_word;

  assign issue         = exponents_valid && free;
  assign exponents_pop = issue && ends_block(read_beat_q, read_block_beat_q);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_addr_q <= '0;
      read_beat_q <= '0;
      read_block_beat_q <= '0;
    end else if (issue) begin
      read_addr_q       <= advance(read_addr_q);
      read_beat_q       <= read_beat_q == BeatWidth'(TokenBeats - 1) ? '0 : read_beat_q + 1'b1;
      read_block_beat_q <= exponents_pop ? '0 : read_block_beat_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) if (issue) exponents_q <= next_exponents;

  dse_event #(.Cycles(`DSE_READ(1, Converting + 1))) u_result (
    .clk_i(clk_i), .rst_ni(rst_ni), .event_i(issue), .event_o(result_push)
  );
  dse_credit_fifo #(.Width(OutPayload), .Depth(Converting + 3), .Delay(`DSE_READ(Converting, 0))) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .reserve_i(issue), .free_o(free),
    .push_i(result_push), .payload_i(out_word), .last_i(result_last),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

  // ---- Arithmetic.
`ifdef SYNTHESIS
  // Extremes as unsigned keys in the order of the elements; the lowest element has the largest complement of its key. Below
  // zero everything fits that fits above, if there is no sign.
  localparam logic [InWidth-1:0] Flip = InWidth'(InSigned) << (InWidth - 1);
  // Twice an extreme, shifted, is below the first bound and not below the second one where its mantissa fits; of a minifloat
  // it is magnitudes that are below the first bound.
  localparam int HighBound = Code > 0 ? 1 << (TopPlace + 2) : (1 << MantissaWidth) - (Rounding != 0 ? 1 : 0);
  localparam int LowBound  = -(1 << MantissaWidth) - (Rounding != 0 ? 1 : 0);
  localparam int unsigned WordDelay = registers_until(StoredLevel) - Searching - Choosing;
  // An element before its shift has the bits below the constant shift's result that decide how it rounds.
  localparam int unsigned Below        = Rounding == 2 ? 2 : 1;
  localparam int unsigned AlignedWidth = ValueWidth + Below;
  localparam int unsigned AmountWidth  = (ExpWidth > $clog2(ValueWidth + 1) ? ExpWidth : $clog2(ValueWidth + 1)) + 1;

  logic [InPayload-1:0] word_q, word;
  logic last_q;
  logic [EmWidth-1:0] word_exponents;

  for (genvar b = 0; b < SubBlocks; b++) begin : gen_block
    logic [SubLanes*InWidth-1:0] keys;
    logic [InWidth-1:0] beat_high, high_q, raw_high;
    logic signed [ValueWidth:0] high, low, twice_high, twice_low;
    logic [MaxExp:0] fitting, fits;
    logic [ExpWidth-1:0] smallest;
    for (genvar i = 0; i < SubLanes; i++) begin : gen_key
      assign keys[i*InWidth+:InWidth] = in_payload_i[(b*SubLanes+i)*InWidth+:InWidth] ^ Flip;
    end
    dse_maximum_tree #(.Count(SubLanes), .Width(InWidth), .Registers(registers_of(1, TreeLevels))) u_high (
      .clk_i(clk_i), .words_i(keys), .largest_o(beat_high)
    );
    always_ff @(posedge clk_i)
      if (searched) high_q <= searched_first || beat_high > high_q ? beat_high : high_q;
    if (InSigned) begin : gen_low
      logic [InWidth-1:0] beat_low, low_q;
      dse_maximum_tree #(.Count(SubLanes), .Width(InWidth), .Registers(registers_of(1, TreeLevels))) u_low (
        .clk_i(clk_i), .words_i(~keys), .largest_o(beat_low)
      );
      always_ff @(posedge clk_i)
        if (searched) low_q <= searched_first || beat_low > low_q ? beat_low : low_q;
      assign twice_low = (ValueWidth + 1)'(signed'({~low_q ^ Flip, 1'b0}));
    end else begin : gen_no_low
      assign twice_low = '0;
    end
    assign raw_high   = high_q ^ Flip;
    assign twice_high = (ValueWidth + 1)'(signed'({InSigned & raw_high[InWidth-1], raw_high, 1'b0}));
    dse_delay #(.Width(2 * (ValueWidth + 1)), .Cycles(Code > 0 ? 32'(registered(NegativeLevel)) : 0)) u_extremes (
      .clk_i(clk_i), .word_i({twice_high, Code > 0 ? -twice_low : twice_low}), .word_o({high, low})
    );
    always_comb begin
      fitting = '1;  // the largest exponent is the last resort
      for (int e = 0; e < int'(MaxExp); e++)
        fitting[e] = 32'((high >>> shift_memory[0]) >>> e) < HighBound
            && (Code > 0 ? 32'((low >>> shift_memory[0]) >>> e) < HighBound
                         : 32'((low >>> shift_memory[0]) >>> e) >= LowBound);
    end
    dse_delay #(.Width(MaxExp + 1), .Cycles(32'(registered(FitLevel)))) u_fits (
      .clk_i(clk_i), .word_i(fitting), .word_o(fits)
    );
    always_comb begin
      smallest = '0;
      for (int e = MaxExp; e >= 0; e--) if (fits[e]) smallest = ExpWidth'(e);
    end
    dse_delay #(.Width(ExpWidth), .Cycles(32'(registered(FitLevel + 1)))) u_exponent (
      .clk_i(clk_i), .word_i(smallest), .word_o(chosen[b*ExpWidth+:ExpWidth])
    );
  end

  always_ff @(posedge clk_i) {last_q, word_q} <= memory[read_addr_q];
  dse_delay #(.Width(InPayload), .Cycles(WordDelay)) u_word (.clk_i(clk_i), .word_i(word_q), .word_o(word));
  dse_delay #(.Width(EmWidth), .Cycles(WordDelay)) u_word_exponents (
    .clk_i(clk_i), .word_i(exponents_q), .word_o(word_exponents)
  );
  dse_delay #(.Width(EmWidth + 1), .Cycles(Converting)) u_exponent (
    .clk_i(clk_i), .word_i({last_q, exponents_q}), .word_o({result_last, out_word[OutPayload-1:Lanes*MantissaWidth]})
  );

  /// The constant part of an element's shift; below it stands whether anything is lost, where ties need to know.
  function automatic logic signed [AlignedWidth-1:0] aligned(
      input logic signed [ValueWidth-1:0] value, input logic [ShiftWidth-1:0] shift);
    /* verilator no_inline_task */
    logic signed [AlignedWidth-1:0] wide, kept;
    wide = AlignedWidth'(value) <<< Below;
    kept = wide >>> shift;
    if (Rounding == 2) kept[0] = kept[0] || (kept << shift) != wide;
    return kept;
  endfunction

  if (Code == 0) begin : gen_integers
    for (genvar i = 0; i < Lanes; i++) begin : gen_element
      dse_requantizer #(
        .Width(AlignedWidth), .ShiftWidth(AmountWidth), .OutWidth(MantissaWidth), .Rounding(Rounding), .Overflow(1),
        .ClampLow(-(64'sd1 << (MantissaWidth - 1))), .ClampHigh((64'sd1 << (MantissaWidth - 1)) - 1),
        .Registers(2'(registers_of(ShiftLevel, 2)))
      ) u_element (
        .clk_i(clk_i), .value_i(aligned(element(word, i), shift_memory[0])),
        .shift_i(AmountWidth'(word_exponents[(i/SubLanes)*ExpWidth+:ExpWidth]) + AmountWidth'(Below)),
        .word_o(out_word[i*MantissaWidth+:MantissaWidth])
      );
    end
  end else begin : gen_minifloats
    // An element keeps OwnMantissa bits below its top bit, but none below its block's unit: what it loses beside the
    // block's exponent is its own exponent, above the first. Neighbouring codes differ by one, across exponents too.
    localparam int unsigned CodeWidth = AmountWidth + OwnMantissa + 2;
    localparam logic [CodeWidth-1:0] LargestCode = (CodeWidth'(1) << (MantissaWidth - 1)) - 1'b1;
    localparam int unsigned MagnitudeLevel = StoredLevel + 1;
    localparam int unsigned PlaceLevel     = MagnitudeLevel + 1;
    localparam int unsigned StepLevel      = PlaceLevel + 1;
    localparam int unsigned CodeLevel      = ShiftLevel + 2;
    logic [EmWidth-1:0] step_exponents;
    logic [Lanes-1:0] signs, negative;
    logic [Lanes*AmountWidth-1:0] steps, code_steps;

    /// How far the top bit of a shifted magnitude is above the bits that its element keeps; 0 if it is not.
    function automatic logic [AmountWidth-1:0] place_of(
        input logic [ValueWidth-1:0] magnitude, input logic [ShiftWidth-1:0] shift);
      /* verilator no_inline_task */
      logic [ValueWidth-1:0] shifted;
      logic [AmountWidth-1:0] place;
      shifted = magnitude >> shift;
      place = '0;
      for (int k = 1; k < int'(ValueWidth - OwnMantissa); k++)
        if (shifted[k+int'(OwnMantissa)]) place = AmountWidth'(k);
      return place;
    endfunction

    dse_delay #(.Width(Lanes), .Cycles(Stages - registers_until(StoredLevel))) u_negative (
      .clk_i(clk_i), .word_i(signs), .word_o(negative)
    );
    dse_delay #(
      .Width(Lanes * AmountWidth), .Cycles(registers_until(ShiftLevel + 1) - registers_until(StepLevel))
    ) u_code_step (
      .clk_i(clk_i), .word_i(steps), .word_o(code_steps)
    );
    dse_delay #(.Width(EmWidth), .Cycles(registers_until(PlaceLevel) - registers_until(StoredLevel))) u_step_exponents (
      .clk_i(clk_i), .word_i(word_exponents), .word_o(step_exponents)
    );
    for (genvar i = 0; i < Lanes; i++) begin : gen_element
      logic signed [ValueWidth-1:0] value;
      logic [ValueWidth-1:0] absolute, magnitude, place_magnitude, step_magnitude;
      logic [AmountWidth-1:0] place, highest, exponent, amount, shift;
      logic [OwnMantissa+1:0] mantissa;
      logic [CodeWidth-1:0] sum, code;

      assign value    = element(word, i);
      assign absolute = value < 0 ? -value : value;
      assign signs[i] = value[ValueWidth-1];
      dse_delay #(.Width(ValueWidth), .Cycles(32'(registered(MagnitudeLevel)))) u_magnitude (
        .clk_i(clk_i), .word_i(absolute), .word_o(magnitude)
      );
      assign place = place_of(magnitude, shift_memory[0]);
      dse_delay #(.Width(AmountWidth + ValueWidth), .Cycles(32'(registered(PlaceLevel)))) u_place (
        .clk_i(clk_i), .word_i({place, magnitude}), .word_o({highest, place_magnitude})
      );
      assign exponent = AmountWidth'(step_exponents[(i/SubLanes)*ExpWidth+:ExpWidth]);
      assign amount   = highest > exponent ? highest : exponent;
      dse_delay #(.Width(2 * AmountWidth + ValueWidth), .Cycles(32'(registered(StepLevel)))) u_step (
        .clk_i(clk_i), .word_i({amount, amount - exponent, place_magnitude}), .word_o({shift, steps[i*AmountWidth+:AmountWidth], step_magnitude})
      );
      dse_requantizer #(
        .Width(AlignedWidth), .ShiftWidth(AmountWidth), .OutWidth(OwnMantissa + 2), .Rounding(Rounding), .Overflow(0),
        .Registers(2'(registers_of(ShiftLevel, 2)))
      ) u_mantissa (
        .clk_i(clk_i), .value_i(aligned(signed'(step_magnitude), shift_memory[0])), .shift_i(shift + AmountWidth'(Below)),
        .word_o(mantissa)
      );
      assign sum = (CodeWidth'(code_steps[i*AmountWidth+:AmountWidth]) << OwnMantissa) + CodeWidth'(mantissa);
      dse_delay #(.Width(CodeWidth), .Cycles(32'(registered(CodeLevel)))) u_code (
        .clk_i(clk_i), .word_i(sum), .word_o(code)
      );
      assign out_word[i*MantissaWidth+:MantissaWidth] =
          {negative[i], code > LargestCode ? (MantissaWidth - 1)'(LargestCode) : (MantissaWidth - 1)'(code)};
    end
  end
`else
  // The rounding of dse_requantize.svh without its clamp, which has to wait for the exponent.
  localparam int unsigned RqWidth      = ValueWidth;
  localparam int unsigned RqShiftWidth = (ShiftWidth > ExpWidth ? ShiftWidth : ExpWidth) + 1;
  localparam int unsigned OutWidth     = RqWidth + 1;
  localparam int          Overflow     = 0;
  localparam longint      ClampLow     = 0;
  localparam longint      ClampHigh    = 0;
  `include "dse_requantize.svh"

  localparam logic signed [OutWidth-1:0] MantissaHigh = OutWidth'((1 << (MantissaWidth - 1)) - 1);
  localparam logic signed [OutWidth-1:0] MantissaLow  = -MantissaHigh - OutWidth'(1);

  typedef logic signed [ValueWidth-1:0] extreme_t[SubBlocks];

  function automatic extreme_t lowest(input extreme_t low, input logic [InPayload-1:0] beat, input logic first);
    /* verilator no_inline_task */
    extreme_t result;
    for (int b = 0; b < SubBlocks; b++) begin
      automatic logic signed [ValueWidth-1:0] least = first ? element(beat, b * SubLanes) : signed'(low[b]);
      for (int i = b * SubLanes; i < (b + 1) * SubLanes; i++) if (element(beat, i) < least) least = element(beat, i);
      result[b] = least;
    end
    return result;
  endfunction

  function automatic extreme_t highest(input extreme_t high, input logic [InPayload-1:0] beat, input logic first);
    /* verilator no_inline_task */
    extreme_t result;
    for (int b = 0; b < SubBlocks; b++) begin
      automatic logic signed [ValueWidth-1:0] most = first ? element(beat, b * SubLanes) : signed'(high[b]);
      for (int i = b * SubLanes; i < (b + 1) * SubLanes; i++) if (element(beat, i) > most) most = element(beat, i);
      result[b] = most;
    end
    return result;
  endfunction

  function automatic logic signed [OutWidth-1:0] rounded(
      input logic signed [ValueWidth-1:0] value, input logic [ShiftWidth-1:0] shift, input logic [ExpWidth-1:0] exponent);
    return signed'(requantize(value, RqShiftWidth'(shift) + RqShiftWidth'(exponent)));
  endfunction

  /// Place of the top bit of a magnitude, 0 for 0.
  function automatic int top_place(input logic signed [ValueWidth:0] magnitude);
    int place;
    place = 0;
    for (int k = 1; k <= int'(ValueWidth); k++) if (magnitude[k]) place = k;
    return place;
  endfunction

  function automatic logic signed [ValueWidth:0] absolute(input logic signed [ValueWidth-1:0] value);
    return value < 0 ? -(ValueWidth + 1)'(value) : (ValueWidth + 1)'(value);
  endfunction

  /// Exponent of a block of minifloats: its largest magnitude keeps its top bit, in the window.
  function automatic logic [ExpWidth-1:0] minifloat_exponent(
      input logic signed [ValueWidth-1:0] low, input logic signed [ValueWidth-1:0] high,
      input logic [ShiftWidth-1:0] shift);
    int e;
    e = top_place(absolute(-low > high ? low : high)) - int'(32'(shift)) - int'(TopPlace);
    return e < 0 ? '0 : e > int'(MaxExp) ? ExpWidth'(MaxExp) : ExpWidth'(e);
  endfunction

  /// Nearest minifloat: neighbouring codes differ by one, across exponents too.
  function automatic logic [MantissaWidth-1:0] minifloat(
      input logic signed [ValueWidth-1:0] value, input logic [RqShiftWidth-1:0] unit);
    int step;
    logic [31:0] code;
    step = top_place(absolute(value)) - int'(32'(unit)) - int'(OwnMantissa);
    if (step < 0) step = 0;
    code = (32'(step) << OwnMantissa)
        + 32'(requantize(RqWidth'(absolute(value)), unit + RqShiftWidth'(step)));
    if (code > (1 << (MantissaWidth - 1)) - 1) code = (1 << (MantissaWidth - 1)) - 1;
    return {value < 0, code[MantissaWidth-2:0]};
  endfunction

  function automatic logic [EmWidth-1:0] block_exponents(
      input extreme_t low, input extreme_t high, input logic [ShiftWidth-1:0] shift);
    /* verilator no_inline_task */
    logic [EmWidth-1:0] exponents;
    for (int b = 0; b < SubBlocks; b++) begin
      automatic logic [ExpWidth-1:0] exponent = ExpWidth'(MaxExp);
      for (int e = MaxExp - 1; e >= 0; e--)
        if (rounded(signed'(low[b]), shift, ExpWidth'(e)) >= MantissaLow
            && rounded(signed'(high[b]), shift, ExpWidth'(e)) <= MantissaHigh) exponent = ExpWidth'(e);
      if (Code > 0) exponent = minifloat_exponent(signed'(low[b]), signed'(high[b]), shift);
      exponents[b*ExpWidth+:ExpWidth] = exponent;
    end
    return exponents;
  endfunction

  function automatic logic [OutPayload-1:0] mantissas(
      input logic [InPayload-1:0] beat, input logic [EmWidth-1:0] exponents, input logic [ShiftWidth-1:0] shift);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    for (int i = 0; i < Lanes; i++) begin
      automatic logic signed [OutWidth-1:0] value =
          rounded(element(beat, i), shift, exponents[(i/SubLanes)*ExpWidth+:ExpWidth]);
      if (value > MantissaHigh) value = MantissaHigh;
      else if (value < MantissaLow) value = MantissaLow;
      word[i*MantissaWidth+:MantissaWidth] = MantissaWidth'(value);
      if (Code > 0)
        word[i*MantissaWidth+:MantissaWidth] = minifloat(
            element(beat, i), RqShiftWidth'(shift) + RqShiftWidth'(exponents[(i/SubLanes)*ExpWidth+:ExpWidth]));
    end
    word[OutPayload-1:Lanes*MantissaWidth] = exponents;
    return word;
  endfunction

  extreme_t low_q, high_q;
  logic [InPayload-1:0] word;
  logic [AddrWidth-1:0] word_addr_q;

  always_ff @(posedge clk_i) begin
    word_addr_q <= read_addr_q;
    if (searched) begin
      low_q  <= lowest(low_q, in_payload_i, searched_first);
      high_q <= highest(high_q, in_payload_i, searched_first);
    end
  end
  assign {result_last, word} = memory[word_addr_q];

  always_comb begin
    chosen = '0;
    out_word = '0;
    if (exponents_push) chosen = block_exponents(low_q, high_q, shift_memory[0]);
    if (result_push) out_word = mantissas(word, exponents_q, shift_memory[0]);
  end
`endif

endmodule
