/// Strobes, `Cycles` cycles later: the control bits that travel beside a pipeline that never stops. Reset forgets them.
module dse_event #(
  parameter int unsigned Width  = 1,  // strobes, >= 1
  parameter int unsigned Cycles = 1   // 0: a wire
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [Width-1:0] event_i,
  output logic [Width-1:0] event_o
);

  if (Cycles == 0) begin : gen_wire
    logic unused;
    assign unused  = clk_i && rst_ni;
    assign event_o = event_i;
  end else begin : gen_line
    logic [Cycles-1:0][Width-1:0] line_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) line_q <= '0;
      else begin
        line_q[0] <= event_i;
        for (int k = 1; k < Cycles; k++) line_q[k] <= line_q[k-1];
      end
    end
    assign event_o = line_q[Cycles-1];
  end

endmodule
