/// Copies one stream to `Copies` consumers, each of which accepts a beat when it likes.
///
/// Latency 1 cycle, one beat per cycle while every consumer accepts. A consumer may be one beat ahead of another.
/// Every output is a function of registers only. Reset empties it. Designs instantiate `dse_fork2`, `3` or `4`.
module dse_fork #(
  parameter int unsigned Width  = 8,  // payload bits, >= 1
  parameter int unsigned Copies = 2   // consumers, >= 2
) (
  input  logic              clk_i,
  input  logic              rst_ni,
  input  logic              in_valid_i,
  output logic              in_ready_o,
  input  logic [Width-1:0]  in_payload_i,
  input  logic              in_last_i,
  output logic [Copies-1:0] out_valid_o,  // one bit per consumer
  input  logic [Copies-1:0] out_ready_i,
  output logic [Width-1:0]  out_payload_o,  // the same for all
  output logic              out_last_o
);

  logic head_valid, all_done;
  logic [Copies-1:0] done_q;  // consumers that have the head beat already

  assign out_valid_o = {Copies{head_valid}} & ~done_q;
  assign all_done    = &(done_q | out_ready_i);

  dse_spill_register #(.Width(Width)) u_in (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(in_valid_i), .in_ready_o(in_ready_o), .in_payload_i(in_payload_i), .in_last_i(in_last_i),
    .out_valid_o(head_valid), .out_ready_i(all_done), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) done_q <= '0;
    else if (head_valid) done_q <= all_done ? '0 : done_q | out_ready_i;
  end

endmodule
