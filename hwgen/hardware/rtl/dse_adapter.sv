/// Lane adapter: beats of `InUnits` units to beats of `OutUnits` units, for any two numbers.
///
/// A unit is the greatest common divisor of the two lane counts. The order of elements is kept, and both sides divide a
/// sample. Latency 1 cycle after the beat that completes an output; the side with more beats transfers every cycle.
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

  // Ready does not know of a simultaneous output, so the smaller beat is held once more than the transfer itself needs.
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

endmodule
