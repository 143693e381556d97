/// Sum of `Count` signed words modulo 2**SumWidth, for synthesis: a tree of carry chains.
///
/// Yosys merges a chain of additions into one many-operand sum, which its mapper covers with full adders and wide
/// multiplexers: three to six times the LUTs. It does not merge where a bit between two additions is inverted. So both
/// operands of each addition have their top bit inverted, which adds 2 * 2**(SumWidth-1), that is nothing.
module dse_adder_tree #(
  parameter int unsigned Count    = 4,   // words, >= 1
  parameter int unsigned Width    = 8,   // bits of a word, two's complement
  parameter int unsigned SumWidth = 10   // bits of the sum
) (
  input  logic [Count*Width-1:0]     words_i,  // word 0 lowest
  output logic signed [SumWidth-1:0] sum_o
);

  localparam logic [SumWidth-1:0] Top = SumWidth'(1) << (SumWidth - 1);

  // Nodes in the order of a heap that is filled from its leaves: node Count + k adds nodes 2k and 2k + 1.
  logic [(2*Count-1)*SumWidth-1:0] nodes;

  for (genvar i = 0; i < Count; i++) begin : gen_leaf
    assign nodes[i*SumWidth+:SumWidth] = SumWidth'(signed'(words_i[i*Width+:Width]));
  end
  for (genvar k = 0; k < Count - 1; k++) begin : gen_node
    assign nodes[(Count+k)*SumWidth+:SumWidth] =
        (nodes[2*k*SumWidth+:SumWidth] ^ Top) + (nodes[(2*k+1)*SumWidth+:SumWidth] ^ Top);
  end
  assign sum_o = nodes[(2*Count-2)*SumWidth+:SumWidth];

endmodule
