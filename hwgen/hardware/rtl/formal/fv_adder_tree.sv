/// What `dse_adder_tree` has to be: the sum in a loop, as many cycles later as it has registers.
module fv_adder_tree #(
  parameter int unsigned Count     = 4,
  parameter int unsigned Width     = 3,
  parameter int unsigned SumWidth  = 5,
  parameter logic [31:0] Registers = '0
) (
  input  logic                       clk_i,
  input  logic [Count*Width-1:0]     words_i,
  output logic signed [SumWidth-1:0] sum_o
);
  logic [SumWidth-1:0] sum;
  always_comb begin
    sum = '0;
    for (int i = 0; i < int'(Count); i++) sum = sum + SumWidth'(signed'(words_i[i*Width+:Width]));
  end

  dse_delay #(.Width(SumWidth), .Cycles($countones(Registers))) u_later (
    .clk_i(clk_i), .word_i(sum), .word_o(sum_o)
  );
endmodule
