/// Concatenation: `BeatsA` beats of stream a, then `BeatsB` beats of stream b, and so on.
///
/// Latency 1 cycle, one beat per cycle. A sample ends with the beat of b that ends b's sample.
/// Every output is a function of registers only. Reset empties it.
module dse_concat #(
  parameter int unsigned Width  = 8,  // payload bits, >= 1
  parameter int unsigned BeatsA = 2,  // beats of a in a period, >= 1
  parameter int unsigned BeatsB = 2   // beats of b in a period, >= 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             a_valid_i,
  output logic             a_ready_o,
  input  logic [Width-1:0] a_payload_i,
  input  logic             a_last_i,
  input  logic             b_valid_i,
  output logic             b_ready_o,
  input  logic [Width-1:0] b_payload_i,
  input  logic             b_last_i,
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_payload_o,
  output logic             out_last_o
);

  localparam int unsigned MaxBeats   = BeatsA > BeatsB ? BeatsA : BeatsB;
  localparam int unsigned CountWidth = MaxBeats > 1 ? $clog2(MaxBeats) : 1;

  logic from_b_q;
  logic [CountWidth-1:0] count_q;  // beats of this turn so far
  logic valid, ready, turn_end;

  assign valid     = from_b_q ? b_valid_i : a_valid_i;
  assign a_ready_o = ready && !from_b_q;
  assign b_ready_o = ready && from_b_q;
  assign turn_end  = count_q == (from_b_q ? CountWidth'(BeatsB - 1) : CountWidth'(BeatsA - 1));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      from_b_q <= 1'b0;
      count_q  <= '0;
    end else if (valid && ready) begin
      from_b_q <= from_b_q ^ turn_end;
      count_q  <= turn_end ? '0 : count_q + 1'b1;
    end
  end

  dse_spill_register #(.Width(Width)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(valid), .in_ready_o(ready), .in_payload_i(from_b_q ? b_payload_i : a_payload_i),
    .in_last_i(from_b_q && b_last_i),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

  logic unused_a_last;
  assign unused_a_last = a_last_i;

endmodule
