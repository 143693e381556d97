/// Order checker of one stream path: what goes in comes out, once, in order, and holds while it waits.
///
/// Two arbitrary beats are tagged, the second behind the first. `ahead` counts the beats that have to leave before each.
/// The properties speak of the handshake only; the tags are outputs so that a wrapper can say where in the cell's
/// registers the tagged words are (an induction needs that). Nothing is assumed about the environment but the reset.
module fv_order #(
  parameter Width    = 3,  // bits of a word with its last flag
  parameter Capacity = 2,  // beats that may be inside at most
  parameter Patience = 0,  // cycles that a beat may be inside with nothing offered
  parameter Waits    = 0   // 1: a beat may wait for another stream as long as it likes; the wrapper says when
) (
  input              clk,
  input              rst_ni,
  input              push,
  input  [Width-1:0] in_word,
  input              out_valid,
  input              out_ready,
  input  [Width-1:0] out_word,
  output reg [7:0]       inside_q,
  output reg             a_inside_q,
  output reg [7:0]       a_ahead_q,
  output reg [Width-1:0] a_word_q,
  output reg             b_inside_q,
  output reg [7:0]       b_ahead_q,
  output reg [Width-1:0] b_word_q
);
  (* anyseq *) reg mark_a;
  (* anyseq *) reg mark_b;
  wire pop = out_valid && out_ready;
  wire a_leaves = pop && a_inside_q && a_ahead_q == 0;
  wire b_leaves = pop && b_inside_q && b_ahead_q == 0;
  reg [7:0] quiet_q;

  always @(posedge clk) begin
    if (!rst_ni) begin
      inside_q   <= 0;
      a_inside_q <= 0;
      b_inside_q <= 0;
      quiet_q    <= 0;
    end else begin
      inside_q <= inside_q + push - pop;
      quiet_q  <= (inside_q != 0 && !out_valid) ? quiet_q + 1 : 0;
      if (push && mark_a && !a_inside_q && !b_inside_q) begin
        a_inside_q <= 1;
        a_ahead_q  <= inside_q - pop;
        a_word_q   <= in_word;
      end else if (a_inside_q) begin
        a_inside_q <= !a_leaves;
        a_ahead_q  <= a_ahead_q - pop;
      end
      if (push && mark_b && a_inside_q && !b_inside_q) begin
        b_inside_q <= 1;
        b_ahead_q  <= inside_q - pop;
        b_word_q   <= in_word;
      end else if (b_inside_q) begin
        b_inside_q <= !b_leaves;
        b_ahead_q  <= b_ahead_q - pop;
      end
    end
  end

  initial assume (!rst_ni);

  always @(posedge clk) if (rst_ni) begin
    no_more_than_fits: assert (inside_q <= Capacity);
    nothing_from_nowhere: assert (!out_valid || inside_q != 0);
    first_unchanged: assert (!(out_valid && a_inside_q && a_ahead_q == 0) || out_word == a_word_q);
    second_unchanged: assert (!(out_valid && b_inside_q && b_ahead_q == 0) || out_word == b_word_q);
    second_behind_first: assert (!(a_inside_q && b_inside_q) || a_ahead_q < b_ahead_q);
    tags_are_inside: assert ((!a_inside_q || a_ahead_q < inside_q) && (!b_inside_q || b_ahead_q < inside_q));
    nothing_lost: assert (Waits || (quiet_q <= Patience && (quiet_q < Patience || inside_q == 0 || out_valid)));
    if ($past(rst_ni && out_valid && !out_ready)) begin
      valid_holds: assert (out_valid);
      word_holds: assert (out_word == $past(out_word));
    end
    tagged_pair: cover (b_leaves);
    full: cover (inside_q == Capacity);
  end
endmodule
