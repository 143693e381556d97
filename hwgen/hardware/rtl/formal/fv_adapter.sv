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
  wire [Capacity*2-1:0] data;   // units in the order of leaving, from wherever the form keeps them
  wire [Capacity-1:0] lasts;
  wire [7:0] stored;
  wire form_holds;               // what ties the registers of a form together

  dut u_dut (
    .clk_i(clk), .rst_ni(rst_ni),
    .in_valid_i(in_valid), .in_ready_o(in_ready), .in_payload_i(in_payload), .in_last_i(in_last),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_payload_o(out_payload), .out_last_o(out_last),
`ifdef TAKE
    .\gen_take.units_q (units), .\gen_take.count_q (count), .\gen_take.left_q (has_left),
    .\gen_take.beat_last_q (beat_last), .\gen_take.front_valid_q (front_valid), .\gen_take.front_q (front),
    .\gen_take.front_last_q (front_last), .\gen_take.empty_q (empty)
`elsif APPEND
    .\gen_append.units_q (units), .\gen_append.count_q (count), .\gen_append.spare_valid_q (spare_valid),
    .\gen_append.spare_q (spare), .\gen_append.last_q (word_last)
`else
    .\gen_regroup.data_q (data), .\gen_regroup.last_q (lasts), .\gen_regroup.count_q (count)
`endif
  );

`ifdef TAKE
  wire [`IN_UNITS*2-1:0] units;
  wire [$clog2(`IN_UNITS+1)-1:0] count;
  wire has_left, beat_last, front_valid, front_last, empty;
  wire [1:0] front;
  wire [`IN_UNITS*2-1:0] waiting = (units >> (has_left ? 2 : 0)) & ~({(`IN_UNITS*2){1'b1}} << (count * 2));
  wire [`IN_UNITS-1:0] waiting_last = (count != 0 && beat_last) << (count - 1);
  assign data  = front_valid ? {waiting, front} : 0;
  assign lasts = front_valid ? {waiting_last, front_last} : 0;
  assign stored = front_valid + count;
  assign form_holds = (front_valid || count == 0) && count <= `IN_UNITS && (!has_left || count < `IN_UNITS)
      && empty == (count == 0);
`elsif APPEND
  wire [`OUT_UNITS*2-1:0] units;
  wire [$clog2(`OUT_UNITS+1)-1:0] count;
  wire spare_valid, word_last;
  wire [1:0] spare;
  wire [`OUT_UNITS*2-1:0] kept = units >> ((`OUT_UNITS - count) * 2);
  wire full = count == `OUT_UNITS;
  assign data  = {spare_valid ? spare : 2'd0, kept};
  assign lasts = {1'b0, full && word_last, {(`OUT_UNITS-1){1'b0}}};
  assign stored = count + spare_valid;
  assign form_holds = count <= `OUT_UNITS && (full || !spare_valid);
`else
  wire [CountWidth-1:0] count;
  assign stored = count;
  assign form_holds = 1;
`endif

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
`ifdef APPEND
    // Both sides divide a sample.
    assume (!(push && in_last) || (inside - left) % `OUT_UNITS == `OUT_UNITS - 1);
`endif
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
    stored_is_inside: assert (stored == inside && form_holds);
`ifdef APPEND
    ends_an_output: assert ((!(a_inside && a_last) || a_ahead == `OUT_UNITS - 1) && (!(b_inside && b_last) || b_ahead == `OUT_UNITS - 1));
`endif
    where_a: assert (!a_inside || (data[a_ahead*2+:2] == a_word && lasts[a_ahead] == a_last));
    where_b: assert (!b_inside || (data[b_ahead*2+:2] == b_word && lasts[b_ahead] == b_last));
    free_data: assert ((data >> (inside * 2)) == 0);
    free_last: assert ((lasts >> inside) == 0);
    tagged_pair: cover (pop && b_inside && b_ahead < `OUT_UNITS);
    nearly_full: cover (inside + `IN_UNITS > Capacity);
  end
endmodule
