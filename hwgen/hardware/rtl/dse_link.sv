/// Link between two devices: serialisation, flight time, and a credit for every place in the receiver's buffer.
///
/// A beat occupies the link for `CyclesPerBeat` cycles and flies for `LatencyCycles`; a credit flies back as long.
/// Credits * CyclesPerBeat >= CyclesPerBeat + 2 * LatencyCycles + 2 sustains one beat per CyclesPerBeat cycles.
/// Every output is a function of registers only. Reset empties it.
module dse_link #(
  parameter int unsigned Width         = 8,  // payload bits, >= 1
  parameter int unsigned CyclesPerBeat = 2,  // payload bits over link bits per cycle, rounded up, >= 1
  parameter int unsigned LatencyCycles = 4,  // flight time in cycles, >= 1
  parameter int unsigned Credits       = 8   // beats that the receiver can hold, >= 3
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_payload_i,
  input  logic             in_last_i,
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_payload_o,
  output logic             out_last_o
);

  // The whole beat travels as one word; serialisation delays it by the cycles that its other parts need.
  localparam int unsigned Delay       = CyclesPerBeat - 1 + LatencyCycles;
  localparam int unsigned SlotWidth   = Delay > 1 ? $clog2(Delay) : 1;
  localparam int unsigned BusyWidth   = $clog2(CyclesPerBeat + 1);
  localparam int unsigned CreditWidth = $clog2(Credits + 1);

  logic [BusyWidth-1:0] busy_q;      // further cycles that the last beat occupies the link
  logic [CreditWidth-1:0] credit_q;  // free places at the receiver, as known here
  logic [Delay-1:0] flight_q;        // a beat was sent i + 1 cycles ago
  logic [LatencyCycles-1:0] return_q;
  logic [SlotWidth-1:0] slot_q;      // the slot written now was written Delay cycles ago
  logic [Width:0] flight_memory[Delay];
  logic send, arrive, taken, receiver_ready;

  assign in_ready_o = busy_q == '0 && credit_q != '0;
  assign send       = in_valid_i && in_ready_o;
  assign arrive     = flight_q[Delay-1];
  assign taken      = out_valid_o && out_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q   <= '0;
      credit_q <= CreditWidth'(Credits);
      flight_q <= '0;
      return_q <= '0;
      slot_q   <= '0;
    end else begin
      if (send) busy_q <= BusyWidth'(CyclesPerBeat - 1);
      else if (busy_q != '0) busy_q <= busy_q - 1'b1;
      credit_q <= credit_q - CreditWidth'(send) + CreditWidth'(return_q[LatencyCycles-1]);
      flight_q <= (flight_q << 1) | Delay'(send);
      return_q <= (return_q << 1) | LatencyCycles'(taken);
      slot_q   <= slot_q == SlotWidth'(Delay - 1) ? '0 : slot_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) if (send) flight_memory[slot_q] <= {in_last_i, in_payload_i};

  dse_fifo #(.Width(Width), .Depth(Credits)) u_receiver (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(arrive), .in_ready_o(receiver_ready),
    .in_payload_i(flight_memory[slot_q][Width-1:0]), .in_last_i(flight_memory[slot_q][Width]),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

  // A credit stands for a free place, so the receiver is always ready for an arriving beat.
  logic unused_receiver_ready;
  assign unused_receiver_ready = receiver_ready;

endmodule
