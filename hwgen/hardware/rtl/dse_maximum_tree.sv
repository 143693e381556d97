/// The largest of `Count` unsigned words, for synthesis: a tree with registers behind levels.
module dse_maximum_tree #(
  parameter int unsigned Count     = 4,   // words, >= 1
  parameter int unsigned Width     = 8,   // bits of a word
  parameter logic [31:0] Registers = '0   // bit k: a register behind level k, of $clog2(Count)
) (
  input  logic                   clk_i,
  input  logic [Count*Width-1:0] words_i,  // word 0 lowest
  output logic [Width-1:0]       largest_o
);

  localparam int unsigned Levels = $clog2(Count);

  logic [Width-1:0] levels[Levels+1][Count];

  for (genvar i = 0; i < Count; i++) begin : gen_leaf
    assign levels[0][i] = words_i[i*Width+:Width];
  end
  for (genvar k = 0; k < Levels; k++) begin : gen_level
    localparam int unsigned Words = (Count + (1 << k) - 1) >> k;  // that enter the level
    for (genvar i = 0; i < Count; i++) begin : gen_node
      if (2 * i < Words) begin : gen_kept
        logic [Width-1:0] larger;
        if (2 * i + 1 < Words) begin : gen_pair
          assign larger = levels[k][2*i] > levels[k][2*i+1] ? levels[k][2*i] : levels[k][2*i+1];
        end else begin : gen_odd
          assign larger = levels[k][2*i];
        end
        dse_delay #(.Width(Width), .Cycles(32'(Registers[k]))) u_register (
          .clk_i(clk_i), .word_i(larger), .word_o(levels[k+1][i])
        );
      end else begin : gen_unused
        assign levels[k+1][i] = '0;
      end
    end
  end
  assign largest_o = levels[Levels][0];
  if (Levels == 0) begin : gen_unused_clock
    logic unused_clk;
    assign unused_clk = clk_i;
  end

endmodule
