/// Proof of `dse_credit_fifo` at DEPTH places: what was reserved while a place was free always finds one.
///
/// A pipeline is anything that reserves only while a place is free and pushes later what it reserved.
module fv_credit_fifo (
  input       clk,
  input       rst_ni,
  input       wish,      // to reserve
  input       push_wish, // to push what is in the pipeline
  input [1:0] payload,
  input       last,
  input       out_ready
);
  localparam AddrWidth = $clog2(`DEPTH), CountWidth = $clog2(`DEPTH + 1);

  wire free, out_valid, out_last, head_valid;
  wire [1:0] out_payload;
  wire [7:0] inside, a_ahead, b_ahead;
  wire a_inside, b_inside;
  wire [2:0] a_word, b_word, head;
  wire [`DEPTH*3-1:0] memory;
  wire [AddrWidth-1:0] read_addr, write_addr;
  wire [CountWidth-1:0] stored, taken;
  reg [7:0] pending_q;  // reserved and not pushed
  wire reserve = wish && free;
  wire push = push_wish && pending_q != 0;

  always @(posedge clk)
    if (!rst_ni) pending_q <= 0;
    else pending_q <= pending_q + reserve - push;

  fv_order #(.Width(3), .Capacity(`DEPTH + 1), .Patience(1)) u_order (
    .clk(clk), .rst_ni(rst_ni), .push(push), .in_word({last, payload}),
    .out_valid(out_valid), .out_ready(out_ready), .out_word({out_last, out_payload}),
    .inside_q(inside), .a_inside_q(a_inside), .a_ahead_q(a_ahead), .a_word_q(a_word),
    .b_inside_q(b_inside), .b_ahead_q(b_ahead), .b_word_q(b_word)
  );
  dut u_dut (
    .clk_i(clk), .rst_ni(rst_ni), .reserve_i(reserve), .free_o(free),
    .push_i(push), .payload_i(payload), .last_i(last),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_payload_o(out_payload), .out_last_o(out_last),
    .head_valid_q(head_valid), .head_q(head), .count_q(stored), .taken_q(taken),
    .read_addr_q(read_addr), .write_addr_q(write_addr), .memory(memory)
  );
  wire [7:0] a_sum = read_addr + a_ahead - head_valid;
  wire [7:0] b_sum = read_addr + b_ahead - head_valid;
  wire [7:0] end_sum = read_addr + stored;
  wire [7:0] a_slot = a_sum >= `DEPTH ? a_sum - `DEPTH : a_sum;
  wire [7:0] b_slot = b_sum >= `DEPTH ? b_sum - `DEPTH : b_sum;
  always @(posedge clk) if (rst_ni) begin
    a_place_for_each: assert (taken == pending_q + stored && taken <= `DEPTH && pending_q <= `DEPTH);
    says_what_is_free: assert (free == (taken != `DEPTH));
    count: assert (inside == head_valid + stored);
    addresses: assert (read_addr < `DEPTH && write_addr < `DEPTH
                       && write_addr == (end_sum >= `DEPTH ? end_sum - `DEPTH : end_sum));
    where_a: assert (!a_inside || ((head_valid && a_ahead == 0) ? head : memory[a_slot*3+:3]) == a_word);
    where_b: assert (!b_inside || ((head_valid && b_ahead == 0) ? head : memory[b_slot*3+:3]) == b_word);
  end
endmodule
