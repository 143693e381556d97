/// Proof of `dse_fork` with COPIES consumers; `dut` is the cell with its registers exposed.
module fv_fork (
  input       clk,
  input       rst_ni,
  input       in_valid,
  input [1:0] in_payload,
  input       in_last,
  input [`COPIES-1:0] out_ready
);
  wire in_ready, out_last, head_valid, spill_valid, head_last, spill_last;
  wire [`COPIES-1:0] out_valid, done;
  wire [1:0] out_payload, head, spill;

  dut u_dut (
    .clk_i(clk), .rst_ni(rst_ni),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_payload_i(in_payload), .in_last_i(in_last),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_payload_o(out_payload), .out_last_o(out_last),
    .done_q(done), .\u_in.head_valid_q (head_valid), .\u_in.spill_valid_q (spill_valid),
    .\u_in.head_q (head), .\u_in.spill_q (spill),
    .\u_in.head_last_q (head_last), .\u_in.spill_last_q (spill_last)
  );

  wire [2:0] place[1:0];
  assign place[0] = {head_last, head};
  assign place[1] = {spill_last, spill};

  wire [7:0] inside[`COPIES-1:0];  // beats that consumer i has still to get

  genvar i, j;
  generate for (i = 0; i < `COPIES; i = i + 1) begin : gen_consumer
    wire [7:0] a_ahead, b_ahead;
    wire a_inside, b_inside;
    wire [2:0] a_word, b_word;
    fv_order #(.Width(3), .Capacity(2), .Waits(1)) u_order (
      .clk(clk), .rst_ni(rst_ni), .push(in_valid && in_ready), .in_word({in_last, in_payload}),
      .out_valid(out_valid[i]), .out_ready(out_ready[i]), .out_word({out_last, out_payload}),
      .inside_q(inside[i]), .a_inside_q(a_inside), .a_ahead_q(a_ahead), .a_word_q(a_word),
      .b_inside_q(b_inside), .b_ahead_q(b_ahead), .b_word_q(b_word)
    );
    wire [`COPIES-1:0] behind;
    for (j = 0; j < `COPIES; j = j + 1) begin : gen_other
      assign behind[j] = out_valid[j] && inside[j] > inside[i];
    end
    wire [7:0] a_place = a_ahead + done[i];
    wire [7:0] b_place = b_ahead + done[i];
    // Where the tags are: the induction needs it. (A label in a loop would name two cells alike.)
    always @(posedge clk) if (rst_ni) begin
      // Nothing is lost: a consumer waits only for another one that is behind and is offered a beat.
      assert (inside[i] == 0 || out_valid[i] || behind != 0);
      assert (inside[i] + done[i] == head_valid + spill_valid);
      assert (!a_inside || place[a_place[0]] == a_word);
      assert (!b_inside || place[b_place[0]] == b_word);
    end
  end endgenerate

  always @(posedge clk) if (rst_ni) begin
    done_needs_a_beat: assert ((head_valid || (done == 0 && !spill_valid)) && !(&done));
    one_ahead_of_the_other: cover (done[0] && !done[1]);
  end
endmodule
