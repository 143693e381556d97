`include "dse_memory.svh"

/// Product of two activation streams: attention scores (Transpose = 1) and weighted sums (Transpose = 0).
///
/// A whole sample of `b` is stored, then the vectors of `a` (one per token and head, InBlocks beats) are multiplied with
/// it: one block of OutLanes * InLanes products per cycle, so a vector takes InBlocks * OutBlocks cycles and the next one
/// is loaded meanwhile. With two banks the next sample of `b` loads while this one is used; with one bank it waits.
/// Latency: the beats of `b`, the products of the sample, and 4 + Stages cycles. The accumulator is wide enough never to
/// overflow. The arithmetic is a pipeline that never stops (`dse_dot`): a block of outputs is issued when the output has
/// a place for it. Every output is a function of registers only. Reset forgets all data.
///
/// Order of `b`: Transpose = 1: outputs are its tokens, the reduction runs along its features, InLanes elements per beat;
/// Transpose = 0: the reduction runs over its tokens, outputs are its features, OutLanes elements per beat.
module dse_matmul #(
  parameter int unsigned InLanes    = 4,   // elements of the reduction per cycle, >= 1
  parameter int unsigned OutLanes   = 4,   // outputs per cycle, >= 1
  parameter int unsigned InBlocks   = 2,   // reduction / InLanes
  parameter int unsigned OutBlocks  = 2,   // outputs per head / OutLanes
  parameter int unsigned Heads      = 1,   // products side by side in the features
  parameter bit          Transpose  = 1,
  parameter int unsigned Banks      = 2,   // samples of b that fit, 1 or 2
  parameter int unsigned AWidth     = 8,   // bits of an element of a
  parameter bit          ASigned    = 1,
  parameter int unsigned BWidth     = 8,   // bits of an element of b
  parameter bit          BSigned    = 1,
  parameter int unsigned AccWidth   = 24,  // accumulator bits, 2 to 62
  parameter int unsigned ShiftWidth = 5,   // bits of the requantisation shift
  parameter int unsigned OutWidth   = 8,   // bits of an output element
  parameter int unsigned Stages     = 0,   // registers within the arithmetic, at most Levels
  parameter int          Rounding   = 1,
  parameter int          Overflow   = 1,
  parameter longint      ClampLow   = -128,
  parameter longint      ClampHigh  = 127,
  parameter              ShiftFile  = "",  // one shift
  localparam int unsigned BLanes     = Transpose ? InLanes : OutLanes,
  localparam int unsigned APayload   = InLanes * AWidth,
  localparam int unsigned BPayload   = BLanes * BWidth,
  localparam int unsigned OutPayload = OutLanes * OutWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  a_valid_i,
  output logic                  a_ready_o,
  input  logic [APayload-1:0]   a_payload_i,
  input  logic                  a_last_i,  // last beat of a sample
  input  logic                  b_valid_i,
  output logic                  b_ready_o,
  input  logic [BPayload-1:0]   b_payload_i,
  input  logic                  b_last_i,  // last beat of a sample
  output logic                  out_valid_o,
  input  logic                  out_ready_i,
  output logic [OutPayload-1:0] out_payload_o,
  output logic                  out_last_o
);

  localparam int unsigned Steps         = InBlocks * OutBlocks;
  localparam int unsigned Depth         = Heads * Steps;  // words of one bank of b
  localparam int unsigned BAddrWidth    = Banks * Depth > 1 ? $clog2(Banks * Depth) : 1;
  localparam int unsigned InAddrWidth   = $clog2(2 * InBlocks);
  localparam int unsigned InBlockWidth  = InBlocks > 1 ? $clog2(InBlocks) : 1;
  localparam int unsigned OutBlockWidth = OutBlocks > 1 ? $clog2(OutBlocks) : 1;
  localparam int unsigned HeadWidth     = Heads > 1 ? $clog2(Heads) : 1;
  localparam int unsigned RqWidth       = AccWidth;
  localparam int unsigned RqShiftWidth  = ShiftWidth;
  // A plain C++ integer in simulation, trimmed to the accumulator by synthesis.
  localparam int unsigned SumWidth      = AccWidth > 32 ? 64 : 32;

  // A word of b's memory holds the operands of one step. One beat of b fills one slot of it: the lanes of one output
  // (Transpose) or of one element of the reduction.
  localparam int unsigned Slots         = Transpose ? OutLanes : InLanes;
  localparam int unsigned SlotWidth     = Slots > 1 ? $clog2(Slots) : 1;
  localparam int unsigned InnerCount    = Transpose ? InBlocks : OutBlocks;  // beats of b per token and head
  localparam int unsigned InnerWidth    = InnerCount > 1 ? $clog2(InnerCount) : 1;
  localparam int unsigned InnerStride   = Transpose ? 1 : InBlocks;
  localparam int unsigned OuterStride   = Transpose ? InBlocks : 1;
  localparam int unsigned OutputStride  = Transpose ? InLanes : 1;   // elements of a word
  localparam int unsigned ElementStride = Transpose ? 1 : OutLanes;

  // Levels of the arithmetic, see dse_dot.
  localparam int unsigned Levels        = 4 + $clog2(InLanes);

  `include "dse_stages.svh"
  // Cycles from the words of the memories to the accumulator's input, and from a step's issue to its result. Simulation
  // adds up as soon as the memories are read, and hides the finished word as long as synthesis takes for it.
  localparam int unsigned Before         = `DSE_READ(0, registers_until(Levels - 2));
  localparam int unsigned Way            = `DSE_READ(0, Stages) + 3;

`ifndef SYNTHESIS
  `include "dse_requantize.svh"
`endif

  // A bank is written again only after its last word was read, and what is read of one that is not full is not used.
  (* no_rw_check *) logic [APayload-1:0] a_memory[2*InBlocks];
  logic [ShiftWidth-1:0] shift_memory[1];
  `DSE_LOAD_MEMORY(shift_memory, ShiftFile, "shift")

  logic free;

  // ---- Side b: a sample fills one bank. A beat's address is a step on from the last one's, by how many of the loops
  // over heads and beats of a head end with it.
  localparam int unsigned InnerReturn = (InnerCount - 1) * InnerStride;
  localparam logic [BAddrWidth-1:0] HeadStep  = BAddrWidth'(Steps - InnerReturn);
  localparam logic [BAddrWidth-1:0] SlotStep  = BAddrWidth'(0) - BAddrWidth'((Heads - 1) * Steps + InnerReturn);
  localparam logic [BAddrWidth-1:0] OuterStep = SlotStep + BAddrWidth'(OuterStride);

  logic [Banks-1:0] b_full_q;
  logic b_push, b_fill_done, b_use_done, b_fill_bank_q, b_use_bank_q;
  logic inner_end, head_end, slot_end;
  logic [InnerWidth-1:0] inner_q;
  logic [HeadWidth-1:0] b_head_q;
  logic [SlotWidth-1:0] slot_q;
  logic [BAddrWidth-1:0] b_fill_addr_q, b_fill_step;

  assign b_ready_o   = !b_full_q[b_fill_bank_q];
  assign b_push      = b_valid_i && b_ready_o;
  assign b_fill_done = b_push && b_last_i;
  assign inner_end   = inner_q == InnerWidth'(InnerCount - 1);
  assign head_end    = inner_end && b_head_q == HeadWidth'(Heads - 1);
  assign slot_end    = head_end && slot_q == SlotWidth'(Slots - 1);

  always_comb begin
    b_fill_step = BAddrWidth'(InnerStride);
    if (inner_end) b_fill_step = HeadStep;
    if (head_end) b_fill_step = SlotStep;
    if (slot_end) b_fill_step = OuterStep;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      inner_q <= '0;
      b_head_q <= '0;
      slot_q <= '0;
      b_fill_addr_q <= '0;
    end else if (b_push) begin
      inner_q <= inner_end ? '0 : inner_q + 1'b1;
      if (inner_end) b_head_q <= head_end ? '0 : b_head_q + 1'b1;
      if (head_end) slot_q <= slot_end ? '0 : slot_q + 1'b1;
      b_fill_addr_q <= b_fill_addr_q + b_fill_step;
      if (b_last_i) b_fill_addr_q <= Banks > 1 && !b_fill_bank_q ? BAddrWidth'(Depth) : '0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      b_full_q <= '0;
      b_fill_bank_q <= 1'b0;
      b_use_bank_q <= 1'b0;
    end else begin
      if (b_fill_done) begin
        b_full_q[b_fill_bank_q] <= 1'b1;
        b_fill_bank_q <= Banks > 1 && !b_fill_bank_q;
      end
      if (b_use_done) begin
        b_full_q[b_use_bank_q] <= 1'b0;
        b_use_bank_q <= Banks > 1 && !b_use_bank_q;
      end
    end
  end

  // ---- Side a: two banks of one vector, one filling while the other is multiplied.
  logic [1:0] a_full_q, a_last_q;
  logic a_push, a_fill_done, a_use_done, a_fill_bank_q, a_use_bank_q;
  logic [InAddrWidth-1:0] a_fill_addr_q;
  logic [InBlockWidth-1:0] a_fill_block_q;

  assign a_ready_o   = !a_full_q[a_fill_bank_q];
  assign a_push      = a_valid_i && a_ready_o;
  assign a_fill_done = a_push && a_fill_block_q == InBlockWidth'(InBlocks - 1);

  always_ff @(posedge clk_i) if (a_push) a_memory[a_fill_addr_q] <= a_payload_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      a_full_q <= '0;
      a_fill_bank_q <= 1'b0;
      a_use_bank_q <= 1'b0;
      a_fill_addr_q <= '0;
      a_fill_block_q <= '0;
    end else begin
      if (a_push) begin
        a_fill_block_q <= a_fill_done ? '0 : a_fill_block_q + 1'b1;
        a_fill_addr_q  <= a_fill_addr_q == InAddrWidth'(2 * InBlocks - 1) ? '0 : a_fill_addr_q + 1'b1;
      end
      if (a_fill_done) begin
        a_full_q[a_fill_bank_q] <= 1'b1;
        a_last_q[a_fill_bank_q] <= a_last_i;
        a_fill_bank_q <= !a_fill_bank_q;
      end
      if (a_use_done) begin
        a_full_q[a_use_bank_q] <= 1'b0;
        a_use_bank_q <= !a_use_bank_q;
      end
    end
  end

  // ---- Steps: the output block is the outer loop, the block of the reduction the inner one; b's words lie in that order.
  logic issue, block_end, token_end;
  logic [InBlockWidth-1:0] in_block_q;
  logic [OutBlockWidth-1:0] out_block_q;
  logic [InAddrWidth-1:0] a_addr_q;
  logic [BAddrWidth-1:0] b_addr_q;

  assign issue      = a_full_q[a_use_bank_q] && b_full_q[b_use_bank_q] && (free || !block_end);
  assign block_end  = in_block_q == InBlockWidth'(InBlocks - 1);
  assign a_use_done = issue && block_end && out_block_q == OutBlockWidth'(OutBlocks - 1);
  assign b_use_done = a_use_done && a_last_q[a_use_bank_q];
  assign token_end  = b_addr_q == BAddrWidth'(Depth - 1 + (b_use_bank_q ? Depth : 0));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      in_block_q <= '0;
      out_block_q <= '0;
      a_addr_q <= '0;
      b_addr_q <= '0;
    end else if (issue) begin
      in_block_q <= block_end ? '0 : in_block_q + 1'b1;
      a_addr_q <= a_addr_q + 1'b1;
      if (block_end) begin
        a_addr_q <= a_use_bank_q ? InAddrWidth'(InBlocks) : '0;
        out_block_q <= out_block_q + 1'b1;
      end
      if (a_use_done) begin
        a_addr_q <= a_use_bank_q ? '0 : InAddrWidth'(InBlocks);
        out_block_q <= '0;
      end
      b_addr_q <= b_addr_q + 1'b1;
      if (token_end) b_addr_q <= b_use_bank_q ? BAddrWidth'(Depth) : '0;
      if (b_use_done) b_addr_q <= Banks > 1 && !b_use_bank_q ? BAddrWidth'(Depth) : '0;
    end
  end

  // ---- Steps on their way: index 0 is issued in this cycle, index k was k cycles ago.
  logic [Before+1:0] way_valid, way_first;
  logic [Way-1:0] way_end, way_last;
  logic [Before:0] way_valid_q, way_first_q;
  logic [Way-2:0] way_end_q, way_last_q;

  assign way_valid = {way_valid_q, issue};
  assign way_first = {way_first_q, in_block_q == '0};
  assign way_end   = {way_end_q, issue && block_end};
  assign way_last  = {way_last_q, b_use_done};

  always_ff @(posedge clk_i) begin
    way_valid_q <= rst_ni ? way_valid[Before:0] : '0;
    way_end_q   <= rst_ni ? way_end[Way-2:0] : '0;
    way_first_q <= way_first[Before:0];
    way_last_q  <= way_last[Way-2:0];
  end

  // ---- Memory of b, and arithmetic: integers throughout, the accumulator at the exact scale of the products.
  logic [OutPayload-1:0] out_word;
`ifdef SYNTHESIS
  // The words of this cycle's addresses, in the next one.
  logic [APayload-1:0] a_word_q;
  logic [OutLanes*InLanes*BWidth-1:0] b_word;
  logic [ShiftWidth-1:0] shift_q;

  always_ff @(posedge clk_i) begin
    a_word_q <= a_memory[a_addr_q];
    shift_q <= shift_memory[0];
  end

  // A memory for each slot: a slot chosen at run time in one memory is a write port for each of its bits to Yosys.
  for (genvar s = 0; s < Slots; s++) begin : gen_slot
    (* no_rw_check *) logic [BPayload-1:0] slot_memory[Banks*Depth];  // as a_memory
    logic [BPayload-1:0] slot_word_q;
    always_ff @(posedge clk_i) begin
      if (b_push && slot_q == SlotWidth'(s)) slot_memory[b_fill_addr_q] <= b_payload_i;
      slot_word_q <= slot_memory[b_addr_q];
    end
    for (genvar i = 0; i < BLanes; i++) begin : gen_element
      assign b_word[(Transpose ? s*InLanes+i : i*InLanes+s)*BWidth+:BWidth] = slot_word_q[i*BWidth+:BWidth];
    end
  end

  dse_dot #(
    .InLanes(InLanes), .OutLanes(OutLanes), .AWidth(AWidth), .ASigned(ASigned), .BWidth(BWidth), .BSigned(BSigned),
    .AccWidth(AccWidth), .ShiftWidth(ShiftWidth), .OutWidth(OutWidth), .Stages(Stages), .Levels(Levels),
    .Rounding(Rounding), .Overflow(Overflow), .ClampLow(ClampLow), .ClampHigh(ClampHigh)
  ) u_dot (
    .clk_i(clk_i), .a_i(a_word_q), .a_exponents_i('0), .b_i(b_word), .b_exponents_i('0),
    .step_i(way_valid[Before+1]), .first_i(way_first[Before+1]), .start_i('0), .shift_i(shift_q), .word_o(out_word)
  );
`else
  // Arrays of elements: the compiler vectorises the loops.
  typedef logic [BWidth-1:0] b_word_t[OutLanes*InLanes];
  typedef logic signed [AccWidth-1:0] acc_word_t[OutLanes];

  b_word_t b_memory[Banks*Depth];
  acc_word_t acc_q;
  logic [InAddrWidth-1:0] read_a_addr_q;
  logic [BAddrWidth-1:0] read_b_addr_q;

  always_ff @(posedge clk_i) begin
    read_a_addr_q <= a_addr_q;
    read_b_addr_q <= b_addr_q;
    if (b_push)
      for (int i = 0; i < BLanes; i++)
        b_memory[b_fill_addr_q][int'(slot_q)*BLanes+i] <= b_payload_i[i*BWidth+:BWidth];
  end

  function automatic acc_word_t multiply_accumulate(
      input acc_word_t acc, input logic [APayload-1:0] a, input b_word_t b, input logic first);
    /* verilator no_inline_task */
    acc_word_t result;
    logic signed [SumWidth-1:0] x[InLanes];
    for (int i = 0; i < InLanes; i++)
      x[i] = SumWidth'(signed'({ASigned & a[i*AWidth+AWidth-1], a[i*AWidth+:AWidth]}));
    for (int o = 0; o < OutLanes; o++) begin
      automatic logic signed [SumWidth-1:0] total = '0;
      for (int i = 0; i < InLanes; i++)
        total = total + x[i] * SumWidth'(signed'({BSigned & b[o*OutputStride+i*ElementStride][BWidth-1],
                                                  b[o*OutputStride+i*ElementStride]}));
      result[o] = AccWidth'(total) + (first ? '0 : acc[o]);
    end
    return result;
  endfunction

  always_ff @(posedge clk_i) begin
    if (way_valid[1])
      acc_q <= multiply_accumulate(acc_q, a_memory[read_a_addr_q], b_memory[read_b_addr_q], way_first[1]);
  end

  function automatic logic [OutPayload-1:0] requantize_word(input acc_word_t acc, input logic [ShiftWidth-1:0] shift);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    for (int o = 0; o < OutLanes; o++) word[o*OutWidth+:OutWidth] = requantize(acc[o], shift);
    return word;
  endfunction

  always_comb begin
    out_word = '0;
    if (way_end[2]) out_word = requantize_word(acc_q, shift_memory[0]);
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
