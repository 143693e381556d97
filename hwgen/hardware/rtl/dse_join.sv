/// Pairs the beats of two streams: one beat out when both are there.
///
/// Latency 1 cycle, one pair per cycle sustained. `last` is taken from stream a; both streams have the same number of
/// beats per sample. Every output is a function of registers only. Reset empties it.
module dse_join #(
  parameter int unsigned AWidth = 8,  // payload bits of stream a, >= 1
  parameter int unsigned BWidth = 8   // payload bits of stream b, >= 1
) (
  input  logic              clk_i,
  input  logic              rst_ni,
  input  logic              a_valid_i,
  output logic              a_ready_o,
  input  logic [AWidth-1:0] a_payload_i,
  input  logic              a_last_i,
  input  logic              b_valid_i,
  output logic              b_ready_o,
  input  logic [BWidth-1:0] b_payload_i,
  input  logic              b_last_i,
  output logic              out_valid_o,
  input  logic              out_ready_i,
  output logic [AWidth-1:0] out_a_o,
  output logic [BWidth-1:0] out_b_o,
  output logic              out_last_o
);

  logic a_valid, b_valid, b_last, pop;

  assign out_valid_o = a_valid && b_valid;
  assign pop         = out_valid_o && out_ready_i;

  dse_spill_register #(.Width(AWidth)) u_a (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(a_valid_i), .in_ready_o(a_ready_o), .in_payload_i(a_payload_i), .in_last_i(a_last_i),
    .out_valid_o(a_valid), .out_ready_i(pop), .out_payload_o(out_a_o), .out_last_o(out_last_o)
  );

  dse_spill_register #(.Width(BWidth)) u_b (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(b_valid_i), .in_ready_o(b_ready_o), .in_payload_i(b_payload_i), .in_last_i(b_last_i),
    .out_valid_o(b_valid), .out_ready_i(pop), .out_payload_o(out_b_o), .out_last_o(b_last)
  );

  logic unused_b_last;
  assign unused_b_last = b_last;

endmodule
