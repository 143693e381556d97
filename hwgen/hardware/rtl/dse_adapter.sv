/// Lane adapter: beats of `InUnits` units to beats of `OutUnits` units, for any two numbers.
///
/// A unit is the greatest common divisor of the two lane counts. The order of elements is kept, and both sides divide a
/// sample. Latency 1 cycle after the beat that completes an output; the side with more beats transfers every cycle.
/// It holds InUnits + OutUnits + min(InUnits, OutUnits) - 1 units: ready does not know of a simultaneous output, so the
/// smaller beat is held once more than the transfer itself needs.
/// Every output is a function of registers only. Reset empties it.
module dse_adapter #(
  parameter int unsigned InUnits   = 2,  // units per input beat, >= 1
  parameter int unsigned OutUnits  = 3,  // units per output beat, >= 1
  parameter int unsigned UnitWidth = 8,  // bits of a unit, >= 1
  localparam int unsigned InPayload  = InUnits * UnitWidth,
  localparam int unsigned OutPayload = OutUnits * UnitWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  in_valid_i,
  output logic                  in_ready_o,
  input  logic [InPayload-1:0]  in_payload_i,
  input  logic                  in_last_i,
  output logic                  out_valid_o,
  input  logic                  out_ready_i,
  output logic [OutPayload-1:0] out_payload_o,
  output logic                  out_last_o
);

  if (InUnits == 1 && OutUnits == 1) begin : gen_same
    dse_spill_register #(.Width(UnitWidth)) u_spill (
      .clk_i(clk_i), .rst_ni(rst_ni),
      .in_valid_i(in_valid_i), .in_ready_o(in_ready_o), .in_payload_i(in_payload_i), .in_last_i(in_last_i),
      .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
    );
  end else if (OutUnits == 1) begin : gen_take
    // A shift register that is loaded as a whole, and the unit that leaves in front of it. A beat that finds the front
    // free sends its first unit there directly. It is loaded all the same, so that every unit has one place to be loaded
    // to: unit 0 of the register is then one that has left, as long as the beat lasts.
    localparam int unsigned CountWidth = $clog2(InUnits + 1);

    logic [InPayload-1:0] units_q;  // unit 0 is next, or unit 1 behind one that has left
    logic [CountWidth-1:0] count_q;  // units that have not left for the front
    logic left_q, beat_last_q;       // unit 0 has left; the beat ends a sample
    logic empty_q;                   // count_q is 0: a bit of its own, or the mapper decodes the count in every bit of the units
    logic front_valid_q, front_last_q, front_free, push, direct, shift;
    logic [UnitWidth-1:0] front_q;

    assign in_ready_o    = empty_q;
    assign out_valid_o   = front_valid_q;
    assign out_payload_o = front_q;
    assign out_last_o    = front_last_q;
    assign front_free    = !front_valid_q || out_ready_i;
    assign push          = in_valid_i && in_ready_o;
    assign direct        = push && front_free;
    assign shift         = !empty_q && front_free;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        count_q       <= '0;
        empty_q       <= 1'b1;
        front_valid_q <= 1'b0;
      end else begin
        empty_q <= !push && (empty_q || (shift && count_q == CountWidth'(1)));
        if (push) count_q <= direct ? CountWidth'(InUnits - 1) : CountWidth'(InUnits);
        else if (shift) count_q <= count_q - 1'b1;
        front_valid_q <= push || shift || (front_valid_q && !out_ready_i);
      end
    end

    always_ff @(posedge clk_i) begin
      if (push || shift) units_q <= empty_q ? in_payload_i : units_q >> UnitWidth;
      if (push) begin
        left_q      <= direct;
        beat_last_q <= in_last_i;
      end
      if (front_free) begin
        front_q      <= empty_q ? in_payload_i[0+:UnitWidth]
                      : left_q ? units_q[UnitWidth+:UnitWidth] : units_q[0+:UnitWidth];
        front_last_q <= count_q == CountWidth'(1) && beat_last_q;
      end
    end
  end else if (InUnits == 1) begin : gen_append
    // A shift register whose whole is the output, and one more unit that came before the output was taken.
    localparam int unsigned CountWidth = $clog2(OutUnits + 1);

    logic [OutPayload-1:0] units_q;  // the last one came last
    logic [CountWidth-1:0] count_q;  // units of the next output
    logic spare_valid_q, last_q, full, push, pop, shift;
    logic [UnitWidth-1:0] spare_q;

    assign full          = count_q == CountWidth'(OutUnits);
    assign in_ready_o    = !spare_valid_q;
    assign out_valid_o   = full;
    assign out_payload_o = units_q;
    assign out_last_o    = last_q;
    assign push          = in_valid_i && in_ready_o;
    assign pop           = full && out_ready_i;
    assign shift         = full ? pop && (push || spare_valid_q) : push;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        count_q       <= '0;
        spare_valid_q <= 1'b0;
      end else begin
        if (pop) count_q <= CountWidth'(shift);
        else if (shift) count_q <= count_q + 1'b1;
        spare_valid_q <= !pop && (spare_valid_q || (push && full));
      end
    end

    always_ff @(posedge clk_i) begin
      if (shift) begin
        units_q <= {spare_valid_q ? spare_q : in_payload_i, units_q[OutPayload-1:UnitWidth]};
        last_q  <= in_last_i;  // both sides divide a sample: it ends with the unit that completes an output
      end
      if (push) spare_q <= in_payload_i;
    end
  end else begin : gen_regroup
    localparam int unsigned Capacity   = InUnits + OutUnits + (InUnits < OutUnits ? InUnits : OutUnits) - 1;
    localparam int unsigned CountWidth = $clog2(Capacity + 1);

    logic [Capacity*UnitWidth-1:0] data_q;  // unit 0 leaves first; units from count_q on are 0
    logic [Capacity-1:0] last_q;            // the unit ends a sample
    logic [CountWidth-1:0] count_q, kept_count;
    logic push, pop;

    assign in_ready_o    = count_q <= CountWidth'(Capacity - InUnits);
    assign out_valid_o   = count_q >= CountWidth'(OutUnits);
    assign out_payload_o = data_q[OutPayload-1:0];
    assign out_last_o    = last_q[OutUnits-1];
    assign push          = in_valid_i && in_ready_o;
    assign pop           = out_valid_o && out_ready_i;
    assign kept_count    = pop ? count_q - CountWidth'(OutUnits) : count_q;

    // Constant shifts selected by position: synthesis sees a multiplexer per unit, not a shifter per bit.
    function automatic logic [Capacity*UnitWidth-1:0] place(
        input logic [InPayload-1:0] payload, input logic [CountWidth-1:0] position);
      /* verilator no_inline_task */
      logic [Capacity*UnitWidth-1:0] placed;
      placed = '0;
      for (int p = 0; p <= Capacity - InUnits; p++)
        if (position == CountWidth'(p)) placed = (Capacity * UnitWidth)'(payload) << (p * UnitWidth);
      return placed;
    endfunction

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        data_q  <= '0;
        last_q  <= '0;
        count_q <= '0;
      end else begin
        count_q <= kept_count + (push ? CountWidth'(InUnits) : '0);
        data_q  <= (pop ? data_q >> OutPayload : data_q) | (push ? place(in_payload_i, kept_count) : '0);
        last_q  <= (pop ? last_q >> OutUnits : last_q)
                 | (push ? Capacity'(in_last_i) << (kept_count + CountWidth'(InUnits - 1)) : '0);
      end
    end
  end

endmodule
