// The usual style, for comparison: packed arrays and nested loops in always_comb, which Verilator unrolls completely.
module naive_matvec (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic [16*8-1:0]    in_payload_i,
  output logic [16*24-1:0]   out_payload_o
);
  logic [15:0][15:0][3:0] weight_memory[16];
  logic [15:0][7:0] x_q;
  logic [15:0][23:0] acc_q, acc_d;
  logic [3:0] address_q;

  initial for (int d = 0; d < 16; d++) for (int o = 0; o < 16; o++) for (int i = 0; i < 16; i++)
    weight_memory[d][o][i] = 4'(d * 7 + o * 3 + i);

  always_comb begin
    for (int o = 0; o < 16; o++) begin
      acc_d[o] = acc_q[o];
      for (int i = 0; i < 16; i++)
        acc_d[o] = acc_d[o] + 24'(signed'(x_q[i]) * signed'(weight_memory[address_q][o][i]));
    end
  end

  always_ff @(posedge clk_i) begin
    x_q <= in_payload_i;
    if (!rst_ni) begin
      acc_q <= '0;
      address_q <= '0;
    end else begin
      acc_q <= acc_d;
      address_q <= address_q + 1'b1;
    end
  end
  assign out_payload_o = acc_q;
endmodule
