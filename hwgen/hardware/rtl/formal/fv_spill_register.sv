/// Proof of `dse_spill_register`; `dut` is the cell with its registers exposed.
module fv_spill_register (
  input       clk,
  input       rst_ni,
  input       in_valid,
  input [1:0] in_payload,
  input       in_last,
  input       out_ready
);
  wire in_ready, out_valid, out_last, head_valid, spill_valid, head_last, spill_last;
  wire [1:0] out_payload, head, spill;
  wire [7:0] inside, a_ahead, b_ahead;
  wire a_inside, b_inside;
  wire [2:0] a_word, b_word;

  dut u_dut (
    .clk_i(clk), .rst_ni(rst_ni),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_payload_i(in_payload), .in_last_i(in_last),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_payload_o(out_payload), .out_last_o(out_last),
    .head_valid_q(head_valid), .spill_valid_q(spill_valid), .head_q(head), .spill_q(spill),
    .head_last_q(head_last), .spill_last_q(spill_last)
  );

  fv_order #(.Width(3), .Capacity(2)) u_order (
    .clk(clk), .rst_ni(rst_ni), .push(in_valid && in_ready), .in_word({in_last, in_payload}),
    .out_valid(out_valid), .out_ready(out_ready), .out_word({out_last, out_payload}),
    .inside_q(inside), .a_inside_q(a_inside), .a_ahead_q(a_ahead), .a_word_q(a_word),
    .b_inside_q(b_inside), .b_ahead_q(b_ahead), .b_word_q(b_word)
  );

  wire [2:0] place[1:0];
  assign place[0] = {head_last, head};
  assign place[1] = {spill_last, spill};

  always @(posedge clk) if (rst_ni) begin
    accepts_two: assert (in_ready == (inside < 2));
    count: assert (inside == head_valid + spill_valid && (head_valid || !spill_valid));
    where_a: assert (!a_inside || place[a_ahead[0]] == a_word);
    where_b: assert (!b_inside || place[b_ahead[0]] == b_word);
  end
endmodule
