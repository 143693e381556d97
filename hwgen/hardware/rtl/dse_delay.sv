/// A word, `Cycles` cycles later: what travels beside a pipeline that never stops. No reset.
module dse_delay #(
  parameter int unsigned Width  = 8,  // >= 1
  parameter int unsigned Cycles = 1   // 0: a wire
) (
  input  logic             clk_i,
  input  logic [Width-1:0] word_i,
  output logic [Width-1:0] word_o
);

  if (Cycles == 0) begin : gen_wire
    logic unused_clk;
    assign unused_clk = clk_i;
    assign word_o = word_i;
  end else begin : gen_line
    logic [Width-1:0] line_q[Cycles];
    always_ff @(posedge clk_i) begin
      line_q[0] <= word_i;
      for (int k = 1; k < Cycles; k++) line_q[k] <= line_q[k-1];
    end
    assign word_o = line_q[Cycles-1];
  end

endmodule
