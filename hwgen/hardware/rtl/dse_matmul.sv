`include "dse_memory.svh"

/// Product of two activation streams: attention scores (Transpose = 1) and weighted sums (Transpose = 0).
///
/// A whole sample of `b` is stored, then the vectors of `a` (one per token and head, InBlocks beats) are multiplied with
/// it: one block of OutLanes * InLanes products per cycle, so a vector takes InBlocks * OutBlocks cycles and the next one
/// is loaded meanwhile. With two banks the next sample of `b` loads while this one is used; with one bank it waits.
/// Latency: the beats of `b`, the products of the sample, and 4 cycles. The accumulator is wide enough never to
/// overflow. A held output holds both inputs. Every output is a function of registers only. Reset forgets all data.
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

  `include "dse_requantize.svh"

  // Packed words for synthesis (block RAM), arrays of elements for simulation (the compiler vectorises the loops).
`ifdef SYNTHESIS
  typedef logic [OutLanes*InLanes-1:0][BWidth-1:0] b_word_t;
`else
  typedef logic [BWidth-1:0] b_word_t[OutLanes*InLanes];
`endif
  typedef logic signed [AccWidth-1:0] acc_word_t[OutLanes];

  logic [APayload-1:0]   a_memory[2*InBlocks];
  logic [ShiftWidth-1:0] shift_memory[1];
  `DSE_LOAD_MEMORY(shift_memory, ShiftFile, "shift")

  logic stall;

  // ---- Side b: the address is the sum of a base per position and a base per head; a sample fills one bank.
  logic [Banks-1:0] b_full_q;
  logic b_push, b_fill_done, b_use_done, b_fill_bank_q, b_use_bank_q;
  logic inner_end, head_end, slot_end;
  logic [InnerWidth-1:0] inner_q;
  logic [HeadWidth-1:0] b_head_q;
  logic [SlotWidth-1:0] slot_q;
  logic [BAddrWidth-1:0] inner_base_q, head_base_q, outer_base_q, b_fill_addr;

  assign b_ready_o   = !b_full_q[b_fill_bank_q] && !stall;  // a held step may still read the bank that it released
  assign b_push      = b_valid_i && b_ready_o;
  assign b_fill_done = b_push && b_last_i;
  assign inner_end   = inner_q == InnerWidth'(InnerCount - 1);
  assign head_end    = inner_end && b_head_q == HeadWidth'(Heads - 1);
  assign slot_end    = head_end && slot_q == SlotWidth'(Slots - 1);
  assign b_fill_addr = outer_base_q + head_base_q + inner_base_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      inner_q <= '0;
      b_head_q <= '0;
      slot_q <= '0;
      inner_base_q <= '0;
      head_base_q <= '0;
      outer_base_q <= '0;
    end else if (b_push) begin
      inner_q <= inner_end ? '0 : inner_q + 1'b1;
      inner_base_q <= inner_end ? '0 : inner_base_q + BAddrWidth'(InnerStride);
      if (inner_end) begin
        b_head_q <= head_end ? '0 : b_head_q + 1'b1;
        head_base_q <= head_end ? '0 : head_base_q + BAddrWidth'(Steps);
      end
      if (head_end) slot_q <= slot_end ? '0 : slot_q + 1'b1;
      if (slot_end) outer_base_q <= outer_base_q + BAddrWidth'(OuterStride);
      if (b_last_i) outer_base_q <= Banks > 1 && !b_fill_bank_q ? BAddrWidth'(Depth) : '0;
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

  assign a_ready_o   = !a_full_q[a_fill_bank_q] && !stall;
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
  logic acc_valid_q, acc_first_q, acc_end_q, acc_last_q, sum_valid_q, sum_last_q;
  logic [InBlockWidth-1:0] in_block_q;
  logic [OutBlockWidth-1:0] out_block_q;
  logic [InAddrWidth-1:0] a_addr_q, a_addr_next_q;
  logic [BAddrWidth-1:0] b_addr_q, b_addr_next_q;

  assign issue      = a_full_q[a_use_bank_q] && b_full_q[b_use_bank_q] && !stall;
  assign block_end  = in_block_q == InBlockWidth'(InBlocks - 1);
  assign a_use_done = issue && block_end && out_block_q == OutBlockWidth'(OutBlocks - 1);
  assign b_use_done = a_use_done && a_last_q[a_use_bank_q];
  assign token_end  = b_addr_next_q == BAddrWidth'(Depth - 1 + (b_use_bank_q ? Depth : 0));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      in_block_q <= '0;
      out_block_q <= '0;
      a_addr_next_q <= '0;
      b_addr_next_q <= '0;
      acc_valid_q <= 1'b0;
      sum_valid_q <= 1'b0;
    end else if (!stall) begin
      acc_valid_q <= issue;
      sum_valid_q <= acc_valid_q && acc_end_q;
      if (issue) begin
        in_block_q <= block_end ? '0 : in_block_q + 1'b1;
        a_addr_next_q <= a_addr_next_q + 1'b1;
        if (block_end) begin
          a_addr_next_q <= a_use_bank_q ? InAddrWidth'(InBlocks) : '0;
          out_block_q <= out_block_q + 1'b1;
        end
        if (a_use_done) begin
          a_addr_next_q <= a_use_bank_q ? '0 : InAddrWidth'(InBlocks);
          out_block_q <= '0;
        end
        b_addr_next_q <= b_addr_next_q + 1'b1;
        if (token_end) b_addr_next_q <= b_use_bank_q ? BAddrWidth'(Depth) : '0;
        if (b_use_done) b_addr_next_q <= Banks > 1 && !b_use_bank_q ? BAddrWidth'(Depth) : '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!stall) begin
      a_addr_q <= a_addr_next_q;
      b_addr_q <= b_addr_next_q;
      acc_first_q <= in_block_q == '0;
      acc_end_q <= block_end;
      acc_last_q <= b_use_done;
      sum_last_q <= acc_last_q;
    end
  end

  // ---- Memory of b.
`ifdef SYNTHESIS
  // A memory for each slot: a slot chosen at run time in one memory is a write port for each of its bits to Yosys.
  b_word_t b_word;
  for (genvar s = 0; s < Slots; s++) begin : gen_slot
    logic [BPayload-1:0] slot_memory[Banks*Depth];
    always_ff @(posedge clk_i) if (b_push && slot_q == SlotWidth'(s)) slot_memory[b_fill_addr] <= b_payload_i;
    assign b_word[s*BLanes+:BLanes] = slot_memory[b_addr_q];
  end
`else
  b_word_t b_memory[Banks*Depth];
  always_ff @(posedge clk_i) begin
    if (b_push)
      for (int i = 0; i < BLanes; i++)
        b_memory[b_fill_addr][int'(slot_q)*BLanes+i] <= b_payload_i[i*BWidth+:BWidth];
  end
`endif

  // ---- Arithmetic: integers throughout, the accumulator at the exact scale of the products.
  function automatic logic [OutPayload-1:0] requantize_word(input acc_word_t acc, input logic [ShiftWidth-1:0] shift);
    /* verilator no_inline_task */
    logic [OutPayload-1:0] word;
    for (int o = 0; o < OutLanes; o++) word[o*OutWidth+:OutWidth] = requantize(acc[o], shift);
    return word;
  endfunction

  acc_word_t acc_q;
`ifdef SYNTHESIS
  localparam int unsigned ProductWidth = AWidth + BWidth + 1;

  logic [APayload-1:0] a_word;
  assign a_word = a_memory[a_addr_q];

  for (genvar o = 0; o < OutLanes; o++) begin : gen_output
    logic [InLanes*ProductWidth-1:0] products;
    logic [2*AccWidth-1:0] terms;
    logic signed [AccWidth-1:0] acc;
    for (genvar i = 0; i < InLanes; i++) begin : gen_product
      dse_product #(.AWidth(AWidth), .ASigned(ASigned), .BWidth(BWidth), .BSigned(BSigned)) u_product (
        .a_i(a_word[i*AWidth+:AWidth]), .b_i(b_word[o*OutputStride+i*ElementStride]),
        .product_o(products[i*ProductWidth+:ProductWidth])
      );
    end
    dse_adder_tree #(.Count(InLanes), .Width(ProductWidth), .SumWidth(AccWidth)) u_total (
      .clk_i(clk_i),
      .words_i(products), .sum_o(terms[0+:AccWidth])
    );
    assign terms[AccWidth+:AccWidth] = acc_first_q ? '0 : acc_q[o];
    dse_adder_tree #(.Count(2), .Width(AccWidth), .SumWidth(AccWidth)) u_acc (.clk_i(clk_i), .words_i(terms), .sum_o(acc));
    always_ff @(posedge clk_i) if (acc_valid_q && !stall) acc_q[o] <= acc;
  end
`else
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
    if (acc_valid_q && !stall) acc_q <= multiply_accumulate(acc_q, a_memory[a_addr_q], b_memory[b_addr_q], acc_first_q);
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
      result_q <= requantize_word(acc_q, shift_memory[0]);
      result_last_q <= sum_last_q;
    end
  end

  dse_spill_register #(.Width(OutPayload)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(result_valid_q), .in_ready_o(result_ready), .in_payload_i(result_q), .in_last_i(result_last_q),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
