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

  logic [Count*Width-1:0] levels[Levels+1];

  assign levels[0] = words_i;
  for (genvar k = 0; k < Levels; k++) begin : gen_level
    localparam int unsigned Words = (Count + (1 << k) - 1) >> k;  // that enter the level
    localparam int unsigned Kept  = (Words + 1) / 2;
    logic [Count*Width-1:0] larger;
    for (genvar i = 0; i < Words / 2; i++) begin : gen_node
      logic [Width-1:0] a, b;
      assign a = levels[k][2*i*Width+:Width];
      assign b = levels[k][(2*i+1)*Width+:Width];
      assign larger[i*Width+:Width] = a > b ? a : b;
    end
    if (Words % 2 == 1) begin : gen_odd
      assign larger[(Kept-1)*Width+:Width] = levels[k][(Words-1)*Width+:Width];
    end
    if (Kept < Count) begin : gen_unused
      assign larger[Count*Width-1:Kept*Width] = '0;
    end
    dse_delay #(.Width(Count * Width), .Cycles(32'(Registers[k]))) u_register (
      .clk_i(clk_i), .word_i(larger), .word_o(levels[k+1])
    );
  end
  assign largest_o = levels[Levels][Width-1:0];
  if (Levels == 0) begin : gen_unused_clock
    logic unused_clk;
    assign unused_clk = clk_i;
  end

endmodule
