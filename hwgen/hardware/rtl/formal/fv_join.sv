/// Proof of `dse_join`: the n-th beat of a leaves with the n-th beat of b. `dut` has its registers exposed.
module fv_join (
  input       clk,
  input       rst_ni,
  input       a_valid,
  input [1:0] a_payload,
  input       a_last,
  input       b_valid,
  input [1:0] b_payload,
  input       b_last,
  input       out_ready
);
  wire a_ready, b_ready, out_valid, out_last;
  wire [1:0] out_a, out_b;
  wire [1:0] head_valid, spill_valid;
  wire head_last, spill_last;  // of a only: nothing reads the last flag of b
  wire [1:0] head[1:0], spill[1:0];

  dut u_dut (
    .clk_i(clk), .rst_ni(rst_ni),
    .a_valid_i(a_valid), .a_ready_o(a_ready), .a_payload_i(a_payload), .a_last_i(a_last),
    .b_valid_i(b_valid), .b_ready_o(b_ready), .b_payload_i(b_payload), .b_last_i(b_last),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_a_o(out_a), .out_b_o(out_b), .out_last_o(out_last),
    .\u_a.head_valid_q (head_valid[0]), .\u_a.spill_valid_q (spill_valid[0]), .\u_a.head_q (head[0]),
    .\u_a.spill_q (spill[0]), .\u_a.head_last_q (head_last), .\u_a.spill_last_q (spill_last),
    .\u_b.head_valid_q (head_valid[1]), .\u_b.spill_valid_q (spill_valid[1]), .\u_b.head_q (head[1]),
    .\u_b.spill_q (spill[1])
  );

  wire [1:0] push = {b_valid && b_ready, a_valid && a_ready};
  wire [2:0] in_word[1:0], out_word[1:0];
  assign in_word[0]  = {a_last, a_payload};
  assign in_word[1]  = {1'b0, b_payload};  // last of b goes nowhere
  assign out_word[0] = {out_last, out_a};
  assign out_word[1] = {1'b0, out_b};
  wire [7:0] inside[1:0];

  genvar i;
  generate for (i = 0; i < 2; i = i + 1) begin : gen_side
    wire [7:0] a_ahead, b_ahead;
    wire a_inside, b_inside;
    wire [2:0] a_word, b_word;
    fv_order #(.Width(3), .Capacity(2), .Waits(1)) u_order (
      .clk(clk), .rst_ni(rst_ni), .push(push[i]), .in_word(in_word[i]),
      .out_valid(out_valid), .out_ready(out_ready), .out_word(out_word[i]),
      .inside_q(inside[i]), .a_inside_q(a_inside), .a_ahead_q(a_ahead), .a_word_q(a_word),
      .b_inside_q(b_inside), .b_ahead_q(b_ahead), .b_word_q(b_word)
    );
    wire [2:0] place[1:0];
    assign place[0] = {i == 0 && head_last, head[i]};
    assign place[1] = {i == 0 && spill_last, spill[i]};
    // Where the tags are: the induction needs it. (A label in a loop would name two cells alike.)
    always @(posedge clk) if (rst_ni) begin
      assert (inside[i] == head_valid[i] + spill_valid[i] && (head_valid[i] || !spill_valid[i]));
      assert (!a_inside || place[a_ahead[0]] == a_word);
      assert (!b_inside || place[b_ahead[0]] == b_word);
    end
  end endgenerate

  always @(posedge clk) if (rst_ni) begin
    both_or_none: assert (out_valid == (inside[0] != 0 && inside[1] != 0));
    accepts: assert (a_ready == (inside[0] < 2) && b_ready == (inside[1] < 2));
  end
endmodule
