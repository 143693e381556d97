/// Proof of `dse_adapter` for IN_UNITS to OUT_UNITS: an arbitrary tagged pair of units; `dut` has its registers exposed.
module fv_adapter (
  input                    clk,
  input                    rst_ni,
  input                    in_valid,
  input [`IN_UNITS*2-1:0]  in_payload,  // two bits a unit
  input                    in_last,
  input                    out_ready
);
  localparam Capacity = `IN_UNITS + `OUT_UNITS + (`IN_UNITS < `OUT_UNITS ? `IN_UNITS : `OUT_UNITS) - 1;
  localparam CountWidth = $clog2(Capacity + 1);

  wire in_ready, out_valid, out_last;
  wire [`OUT_UNITS*2-1:0] out_payload;
  wire [Capacity*2-1:0] data;
  wire [Capacity-1:0] lasts;
  wire [CountWidth-1:0] stored;

  dut u_dut (
    .clk_i(clk), .rst_ni(rst_ni),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_payload_i(in_payload), .in_last_i(in_last),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_payload_o(out_payload), .out_last_o(out_last),
    .data_q(data), .last_q(lasts), .count_q(stored)
  );

  wire push = in_valid && in_ready;
  wire pop  = out_valid && out_ready;

  // Units inside by counting transfers; a tag is a unit of an accepted beat.
  (* anyseq *) reg mark_a;
  (* anyseq *) reg mark_b;
  (* anyseq *) reg [7:0] unit_a;
  (* anyseq *) reg [7:0] unit_b;
  reg [7:0] inside, a_ahead, b_ahead;
  reg a_inside, b_inside, a_last, b_last;
  reg [1:0] a_word, b_word;
  wire [7:0] left = pop ? `OUT_UNITS : 0;

  always @(posedge clk) begin
    assume (unit_a < `IN_UNITS && unit_b < `IN_UNITS);
    if (!rst_ni) begin
      inside   <= 0;
      a_inside <= 0;
      b_inside <= 0;
    end else begin
      inside <= inside + (push ? `IN_UNITS : 0) - left;
      if (push && mark_a && !a_inside && !b_inside) begin
        a_inside <= 1;
        a_ahead  <= inside - left + unit_a;
        a_word   <= in_payload[unit_a*2+:2];
        a_last   <= in_last && unit_a == `IN_UNITS - 1;
      end else if (a_inside) begin
        a_inside <= !(pop && a_ahead < `OUT_UNITS);
        a_ahead  <= a_ahead - left;
      end
      if (push && mark_b && a_inside && !b_inside) begin
        b_inside <= 1;
        b_ahead  <= inside - left + unit_b;
        b_word   <= in_payload[unit_b*2+:2];
        b_last   <= in_last && unit_b == `IN_UNITS - 1;
      end else if (b_inside) begin
        b_inside <= !(pop && b_ahead < `OUT_UNITS);
        b_ahead  <= b_ahead - left;
      end
    end
  end

  initial assume (!rst_ni);

  always @(posedge clk) if (rst_ni) begin
    fits: assert (inside <= Capacity);
    nothing_lost_or_made: assert (out_valid == (inside >= `OUT_UNITS));
    keeps_the_rate: assert (in_ready || inside + `IN_UNITS > Capacity);
    first_unchanged: assert (!(out_valid && a_inside && a_ahead < `OUT_UNITS) || out_payload[a_ahead*2+:2] == a_word);
    second_unchanged: assert (!(out_valid && b_inside && b_ahead < `OUT_UNITS) || out_payload[b_ahead*2+:2] == b_word);
    last_unchanged: assert (!(out_valid && a_inside && a_ahead == `OUT_UNITS - 1) || out_last == a_last);
    second_behind_first: assert (!(a_inside && b_inside) || a_ahead < b_ahead);
    tags_are_inside: assert ((!a_inside || a_ahead < inside) && (!b_inside || b_ahead < inside));
    if ($past(rst_ni && out_valid && !out_ready)) begin
      valid_holds: assert (out_valid);
      word_holds: assert (out_payload == $past(out_payload) && out_last == $past(out_last));
    end
    // Where the tags are, and that free places are empty: the induction needs it.
    count: assert (stored == inside);
    where_a: assert (!a_inside || (data[a_ahead*2+:2] == a_word && lasts[a_ahead] == a_last));
    where_b: assert (!b_inside || (data[b_ahead*2+:2] == b_word && lasts[b_ahead] == b_last));
    free_data: assert ((data >> (inside * 2)) == 0);
    free_last: assert ((lasts >> inside) == 0);
    tagged_pair: cover (pop && b_inside && b_ahead < `OUT_UNITS);
    nearly_full: cover (inside + `IN_UNITS > Capacity);
  end
endmodule
