`include "dse_memory.svh"

/// Conversion of integers to shared-exponent blocks.
///
/// A block is `BlockBeats` beats, fewer at the end of a token, or `1 / SubBlocks` of a beat. Its exponent is the smallest
/// `e` with which every mantissa round(x * 2**-(shift + e)) fits, else the largest `e`, and then mantissas saturate.
/// A beat waits in a short buffer until its block is complete: beats + BlockBeats + 5 cycles from the first beat of a
/// sample to its last result. One beat per cycle. Every output is a function of registers only. Reset forgets all data
/// in flight; the shift is kept.
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
  // A beat stays BlockBeats + 4 cycles: its block, extremes, exponent, issue and read.
  localparam int unsigned Depth      = BlockBeats + 4;
  localparam int unsigned AddrWidth  = $clog2(Depth);
  localparam int unsigned CountWidth = $clog2(Depth + 1);
  localparam int unsigned BeatWidth  = TokenBeats > 1 ? $clog2(TokenBeats) : 1;
  localparam int unsigned MaxExp     = (1 << ExpWidth) - 1;
  localparam int unsigned EmWidth    = SubBlocks * ExpWidth;

  // The rounding of dse_requantize.svh without its clamp, which has to wait for the exponent.
  localparam int unsigned ValueWidth   = InWidth + 1 > MantissaWidth ? InWidth + 1 : MantissaWidth;  // with a sign
  localparam int unsigned RqWidth      = ValueWidth;
  localparam int unsigned RqShiftWidth = (ShiftWidth > ExpWidth ? ShiftWidth : ExpWidth) + 1;
  localparam int unsigned OutWidth     = RqWidth + 1;
  localparam int          Overflow     = 0;
  localparam longint      ClampLow     = 0;
  localparam longint      ClampHigh    = 0;
  `include "dse_requantize.svh"

  // Minifloats (Code > 0): bits of their own mantissa, and the place of the top bit of the largest one's integer.
  localparam int unsigned OwnMantissa = MantissaWidth - 1 - Code;
  localparam int unsigned TopPlace    = OwnMantissa + (1 << Code) - 2;

  localparam logic signed [OutWidth-1:0] MantissaHigh = OutWidth'((1 << (MantissaWidth - 1)) - 1);
  localparam logic signed [OutWidth-1:0] MantissaLow  = -MantissaHigh - OutWidth'(1);

`ifdef SYNTHESIS
  typedef logic signed [SubBlocks-1:0][ValueWidth-1:0] extreme_t;
`else
  typedef logic signed [ValueWidth-1:0] extreme_t[SubBlocks];
`endif

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
  logic [InPayload:0] memory[Depth];  // `last` above the elements
  logic push, read_valid_q, stall;
  logic [AddrWidth-1:0] write_addr_q;
  logic [CountWidth-1:0] space_q;
  logic [BeatWidth-1:0] beat_q, block_beat_q;

  assign in_ready_o = space_q != '0;
  assign push       = in_valid_i && in_ready_o;

  always_ff @(posedge clk_i) if (push) memory[write_addr_q] <= {in_last_i, in_payload_i};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_addr_q <= '0;
      space_q <= CountWidth'(Depth);
      beat_q <= '0;
      block_beat_q <= '0;
    end else begin
      if (push) begin
        write_addr_q <= advance(write_addr_q);
        beat_q       <= beat_q == BeatWidth'(TokenBeats - 1) ? '0 : beat_q + 1'b1;
        block_beat_q <= ends_block(beat_q, block_beat_q) ? '0 : block_beat_q + 1'b1;
      end
      space_q <= space_q + CountWidth'(read_valid_q && !stall) - CountWidth'(push);
    end
  end

  // ---- Extremes of the block, then its exponent. Rounding is monotone, so the extremes decide.
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

  logic x_valid_q, x_first_q, x_end_q, block_valid_q;
  logic [InPayload-1:0] x_q;
  extreme_t low_q, high_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      x_valid_q <= 1'b0;
      block_valid_q <= 1'b0;
    end else begin
      x_valid_q <= push;
      block_valid_q <= x_valid_q && x_end_q;
    end
    x_q <= in_payload_i;
    x_first_q <= block_beat_q == '0;
    x_end_q <= ends_block(beat_q, block_beat_q);
    if (x_valid_q) begin
      low_q  <= lowest(low_q, x_q, x_first_q);
      high_q <= highest(high_q, x_q, x_first_q);
    end
  end

  // ---- Reader: the beats of finished blocks. There are never more blocks than beats in the buffer.
  logic [EmWidth-1:0] exponent_memory[Depth];
  logic [AddrWidth-1:0] exp_write_q, exp_next_q, exp_addr_q, read_next_q, read_addr_q;
  logic [CountWidth-1:0] blocks_q;  // finished blocks with unread beats
  logic [BeatWidth-1:0] read_beat_q, read_block_beat_q;
  logic issue, issue_end;

  assign issue     = blocks_q != '0 && !stall;
  assign issue_end = issue && ends_block(read_beat_q, read_block_beat_q);

  always_ff @(posedge clk_i)
    if (block_valid_q) exponent_memory[exp_write_q] <= block_exponents(low_q, high_q, shift_memory[0]);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      exp_write_q <= '0;
      exp_next_q <= '0;
      read_next_q <= '0;
      blocks_q <= '0;
      read_beat_q <= '0;
      read_block_beat_q <= '0;
      read_valid_q <= 1'b0;
    end else begin
      if (block_valid_q) exp_write_q <= advance(exp_write_q);
      if (issue) begin
        read_next_q       <= advance(read_next_q);
        read_beat_q       <= read_beat_q == BeatWidth'(TokenBeats - 1) ? '0 : read_beat_q + 1'b1;
        read_block_beat_q <= issue_end ? '0 : read_block_beat_q + 1'b1;
      end
      if (issue_end) exp_next_q <= advance(exp_next_q);
      blocks_q <= blocks_q + CountWidth'(block_valid_q) - CountWidth'(issue_end);
      if (!stall) read_valid_q <= issue;
    end
    if (!stall) begin
      read_addr_q <= read_next_q;
      exp_addr_q  <= exp_next_q;
    end
  end

  // ---- Mantissas into the result register, then the spill register whose ready is a register.
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

  logic result_valid_q, result_last_q, result_ready, read_last;
  logic [OutPayload-1:0] result_q;
  logic [InPayload-1:0] read_beat;

  assign stall = result_valid_q && !result_ready;
  assign {read_last, read_beat} = memory[read_addr_q];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) result_valid_q <= 1'b0;
    else if (!stall) result_valid_q <= read_valid_q;
    if (!stall && read_valid_q) begin
      result_q <= mantissas(read_beat, exponent_memory[exp_addr_q], shift_memory[0]);
      result_last_q <= read_last;
    end
  end

  dse_spill_register #(.Width(OutPayload)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(result_valid_q), .in_ready_o(result_ready), .in_payload_i(result_q), .in_last_i(result_last_q),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
