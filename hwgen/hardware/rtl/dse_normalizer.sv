/// A word without its leading zero pairs of bits, for synthesis: one conditional shift a level, with registers behind levels.
/// At most Width / 2 - 1 - Guard pairs are taken away.
module dse_normalizer #(
  parameter int unsigned Width     = 24,  // bits of the word, even
  parameter int unsigned Guard     = 0,   // pairs at the low end that do not count
  parameter logic [31:0] Registers = '0,  // bit k: a register behind level k, of $clog2(Width / 2 - Guard)
  localparam int unsigned Places    = Width / 2 - Guard,  // pairs that the leading one can be in
  localparam int unsigned PairWidth = $clog2(Width / 2 + 1)
) (
  input  logic                 clk_i,
  input  logic [Width-1:0]     word_i,
  output logic [Width-1:0]     word_o,
  output logic [PairWidth-1:0] pairs_o  // zero pairs that were taken away
);

  localparam int unsigned Levels = $clog2(Places);

  logic [Width-1:0] words[Levels+1];
  logic [Places-1:0] used[Levels+1];  // pairs that are not zero; the lowest one ends every search
  logic [PairWidth-1:0] pairs[Levels+1];

  assign words[0] = word_i;
  assign pairs[0] = '0;
  assign used[0][0] = 1'b1;
  for (genvar p = 1; p < Places; p++) begin : gen_used
    assign used[0][p] = |word_i[2*(Guard+p)+:2];
  end

  for (genvar k = 0; k < Levels; k++) begin : gen_level
    localparam int unsigned Step = 1 << (Levels - 1 - k);
    logic empty;
    assign empty = used[k][Places-1-:Step] == '0;
    dse_delay #(.Width(Width + Places + PairWidth), .Cycles(32'(Registers[k]))) u_register (
      .clk_i(clk_i),
      .word_i({empty ? words[k] << (2 * Step) : words[k], empty ? used[k] << Step : used[k],
               pairs[k] | (empty ? PairWidth'(Step) : '0)}),
      .word_o({words[k+1], used[k+1], pairs[k+1]})
    );
  end
  assign word_o  = words[Levels];
  assign pairs_o = pairs[Levels];

endmodule
