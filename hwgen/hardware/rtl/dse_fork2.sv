/// `dse_fork` with 2 consumers as named streams: latency 1 cycle, one beat per cycle while all accept. Every output is a
/// function of registers only. Reset empties it.
module dse_fork2 #(
  parameter int unsigned Width = 8  // payload bits, >= 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_payload_i,
  input  logic             in_last_i,
  output logic             out0_valid_o,
  input  logic             out0_ready_i,
  output logic [Width-1:0] out0_payload_o,
  output logic             out0_last_o,
  output logic             out1_valid_o,
  input  logic             out1_ready_i,
  output logic [Width-1:0] out1_payload_o,
  output logic             out1_last_o
);

  logic [Width-1:0] payload;
  logic last;

  assign out0_payload_o = payload;
  assign out0_last_o    = last;
  assign out1_payload_o = payload;
  assign out1_last_o    = last;

  dse_fork #(.Width(Width), .Copies(2)) u_fork (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(in_valid_i), .in_ready_o(in_ready_o), .in_payload_i(in_payload_i), .in_last_i(in_last_i),
    .out_valid_o({out1_valid_o, out0_valid_o}),
    .out_ready_i({out1_ready_i, out0_ready_i}),
    .out_payload_o(payload), .out_last_o(last)
  );

endmodule
