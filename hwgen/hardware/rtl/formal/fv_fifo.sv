/// Proof of `dse_fifo` at DEPTH beats; `dut` is the cell with its registers exposed, its memory as registers.
module fv_fifo (
  input       clk,
  input       rst_ni,
  input       in_valid,
  input [1:0] in_payload,
  input       in_last,
  input       out_ready
);
  localparam Capacity = `DEPTH < 2 ? 2 : `DEPTH;

  wire in_ready, out_valid, out_last, head_valid;
  wire [1:0] out_payload;
  wire [7:0] inside, a_ahead, b_ahead;
  wire a_inside, b_inside;
  wire [2:0] a_word, b_word;
  wire [2:0] place[Capacity-1:0];  // in the order of leaving

  fv_order #(.Width(3), .Capacity(Capacity), .Patience(`DEPTH > 2)) u_order (
    .clk(clk), .rst_ni(rst_ni), .push(in_valid && in_ready), .in_word({in_last, in_payload}),
    .out_valid(out_valid), .out_ready(out_ready), .out_word({out_last, out_payload}),
    .inside_q(inside), .a_inside_q(a_inside), .a_ahead_q(a_ahead), .a_word_q(a_word),
    .b_inside_q(b_inside), .b_ahead_q(b_ahead), .b_word_q(b_word)
  );

`ifdef REGISTERS
  wire [1:0] head, spill;
  wire head_last, spill_last, spill_valid;
  dut u_dut (
    .clk_i(clk), .rst_ni(rst_ni),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_payload_i(in_payload), .in_last_i(in_last),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_payload_o(out_payload), .out_last_o(out_last),
    .\gen_registers.u_spill.head_valid_q (head_valid), .\gen_registers.u_spill.spill_valid_q (spill_valid),
    .\gen_registers.u_spill.head_q (head), .\gen_registers.u_spill.spill_q (spill),
    .\gen_registers.u_spill.head_last_q (head_last), .\gen_registers.u_spill.spill_last_q (spill_last)
  );
  assign place[0] = {head_last, head};
  assign place[1] = {spill_last, spill};
  always @(posedge clk) if (rst_ni) begin
    count: assert (inside == head_valid + spill_valid && (head_valid || !spill_valid));
    where_a: assert (!a_inside || place[a_ahead] == a_word);
    where_b: assert (!b_inside || place[b_ahead] == b_word);
  end
`else
  localparam MemoryDepth = `DEPTH - 1;
  localparam AddrWidth = $clog2(MemoryDepth), CountWidth = $clog2(`DEPTH);
  wire [2:0] head;
  wire [MemoryDepth*3-1:0] memory;
  wire [AddrWidth-1:0] read_addr, write_addr;
  wire [CountWidth-1:0] stored;
  dut u_dut (
    .clk_i(clk), .rst_ni(rst_ni),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_payload_i(in_payload), .in_last_i(in_last),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_payload_o(out_payload), .out_last_o(out_last),
    .\gen_memory.head_valid_q (head_valid), .\gen_memory.head_q (head), .\gen_memory.count_q (stored),
    .\gen_memory.read_addr_q (read_addr), .\gen_memory.write_addr_q (write_addr),
    .memory(memory)
  );
  // Sums of two addresses stay below twice the depth; one subtraction is easier for the solver than a remainder.
  wire [7:0] a_sum = read_addr + a_ahead - head_valid;
  wire [7:0] b_sum = read_addr + b_ahead - head_valid;
  wire [7:0] end_sum = read_addr + stored;
  wire [7:0] a_slot = a_sum >= MemoryDepth ? a_sum - MemoryDepth : a_sum;
  wire [7:0] b_slot = b_sum >= MemoryDepth ? b_sum - MemoryDepth : b_sum;
  always @(posedge clk) if (rst_ni) begin
    accepts_depth: assert (in_ready || inside >= MemoryDepth);
    count: assert (inside == head_valid + stored && stored <= MemoryDepth);
    addresses: assert (read_addr < MemoryDepth && write_addr < MemoryDepth
                       && write_addr == (end_sum >= MemoryDepth ? end_sum - MemoryDepth : end_sum));
    where_a: assert (!a_inside || ((head_valid && a_ahead == 0) ? head : memory[a_slot*3+:3]) == a_word);
    where_b: assert (!b_inside || ((head_valid && b_ahead == 0) ? head : memory[b_slot*3+:3]) == b_word);
  end
`endif
endmodule
