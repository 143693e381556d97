/// Two-entry stream register that cuts every combinational path between its sides.
///
/// Latency 1 cycle, one beat per cycle sustained. `in_ready_o`, `out_valid_o`, `out_payload_o` and `out_last_o` are
/// functions of registers only. Reset empties it.
module dse_spill_register #(
  parameter int unsigned Width = 8  // payload bits, >= 1
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

  logic head_valid_q, spill_valid_q;
  logic head_last_q, spill_last_q;
  logic [Width-1:0] head_q, spill_q;

  logic push, pop;
  assign push = in_valid_i && in_ready_o;
  assign pop  = out_valid_o && out_ready_i;

  assign in_ready_o    = !spill_valid_q;
  assign out_valid_o   = head_valid_q;
  assign out_payload_o = head_q;
  assign out_last_o    = head_last_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      head_valid_q  <= 1'b0;
      spill_valid_q <= 1'b0;
    end else begin
      if (push && head_valid_q && !pop) spill_valid_q <= 1'b1;
      else if (pop) spill_valid_q <= 1'b0;
      head_valid_q <= push || spill_valid_q || (head_valid_q && !pop);
    end
  end

  // Data registers need no reset: they are read only while their valid bit is set.
  always_ff @(posedge clk_i) begin
    if (push) begin
      spill_q      <= in_payload_i;
      spill_last_q <= in_last_i;
    end
    if (pop || !head_valid_q) begin
      head_q      <= spill_valid_q ? spill_q : in_payload_i;
      head_last_q <= spill_valid_q ? spill_last_q : in_last_i;
    end
  end

endmodule
