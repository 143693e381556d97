/// Sum of `Count` signed words modulo 2**SumWidth, for synthesis: a tree of carry chains, with registers behind levels.
///
/// Yosys merges a chain of additions into one many-operand sum, which its mapper covers with full adders and wide
/// multiplexers: three to six times the LUTs. It does not merge where a bit between two additions is inverted. So both
/// operands of each addition have their top bit inverted, which adds 2 * 2**(SumWidth-1), that is nothing.
module dse_adder_tree #(
  parameter int unsigned Count     = 4,   // words, >= 1
  parameter int unsigned Width     = 8,   // bits of a word, two's complement
  parameter int unsigned SumWidth  = 10,  // bits of the sum
  parameter logic [31:0] Registers = '0   // bit k: a register behind level k, of $clog2(Count)
) (
  input  logic                       clk_i,
  input  logic [Count*Width-1:0]     words_i,  // word 0 lowest
  output logic signed [SumWidth-1:0] sum_o
);

  localparam int unsigned Levels = $clog2(Count);
  localparam logic [SumWidth-1:0] Top = SumWidth'(1) << (SumWidth - 1);

  logic [Count*SumWidth-1:0] levels[Levels+1];

  for (genvar i = 0; i < Count; i++) begin : gen_leaf
    assign levels[0][i*SumWidth+:SumWidth] = SumWidth'(signed'(words_i[i*Width+:Width]));
  end
  for (genvar k = 0; k < Levels; k++) begin : gen_level
    localparam int unsigned Words = (Count + (1 << k) - 1) >> k;  // that enter the level
    localparam int unsigned Sums  = (Words + 1) / 2;
    logic [Count*SumWidth-1:0] sums;
    for (genvar i = 0; i < Words / 2; i++) begin : gen_node
      assign sums[i*SumWidth+:SumWidth] =
          (levels[k][2*i*SumWidth+:SumWidth] ^ Top) + (levels[k][(2*i+1)*SumWidth+:SumWidth] ^ Top);
    end
    if (Words % 2 == 1) begin : gen_odd
      assign sums[(Sums-1)*SumWidth+:SumWidth] = levels[k][(Words-1)*SumWidth+:SumWidth];
    end
    if (Sums < Count) begin : gen_unused
      assign sums[Count*SumWidth-1:Sums*SumWidth] = '0;
    end
    dse_delay #(.Width(Count * SumWidth), .Cycles(32'(Registers[k]))) u_register (
      .clk_i(clk_i), .word_i(sums), .word_o(levels[k+1])
    );
  end
  assign sum_o = levels[Levels][SumWidth-1:0];

endmodule
