/// saturate(round(value * 2**-shift)), for synthesis: `dse_requantize.svh` in three levels (shift, round, clamp) with
/// registers behind the first two.
///
/// A shift that keeps the bit below the result, and whether any bit below that is set, needs no addition before it:
/// floor((v + 2**(s-1)) / 2**s) is floor(v / 2**s) plus that bit.
module dse_requantizer #(
  parameter int unsigned Width      = 24,  // bits of the value, two's complement
  parameter int unsigned ShiftWidth = 5,   // bits of the shift amount, at most Width
  parameter int unsigned OutWidth   = 8,
  parameter int          Rounding   = 1,   // 0 floor, 1 half up, 2 half to even
  parameter int          Overflow   = 1,   // 0 wrap, 1 saturate to [ClampLow, ClampHigh]
  parameter longint      ClampLow   = -128,
  parameter longint      ClampHigh  = 127,
  parameter logic [1:0]  Registers  = '0   // bit 0: behind the shift, bit 1: behind the rounding
) (
  input  logic                    clk_i,
  input  logic signed [Width-1:0] value_i,
  input  logic [ShiftWidth-1:0]   shift_i,
  output logic [OutWidth-1:0]     word_o
);

  localparam int unsigned Wide = (Width > OutWidth ? Width : OutWidth) + 1;

  logic signed [Wide:0] shifted;  // one more bit below
  logic below, up;
  logic signed [Wide-1:0] floor, rounded, sum;
  logic up_q;
  logic signed [Wide-1:0] floor_q;

  assign shifted = signed'({Wide'(value_i), 1'b0}) >>> shift_i;
  assign floor   = shifted[Wide:1];

  if (Rounding == 2) begin : gen_even
    always_comb begin
      below = 1'b0;
      for (int k = 0; k < int'(Width); k++) if (k + 1 < int'(shift_i)) below |= value_i[k];
    end
    assign up = shifted[0] && (below || floor[0]);
  end else begin : gen_up
    assign below = 1'b0;
    assign up = Rounding == 1 && shifted[0];
  end

  dse_delay #(.Width(Wide + 1), .Cycles(32'(Registers[0]))) u_shifted (
    .clk_i(clk_i), .word_i({up, floor}), .word_o({up_q, floor_q})
  );
  assign sum = floor_q + Wide'({1'b0, up_q});
  dse_delay #(.Width(Wide), .Cycles(32'(Registers[1]))) u_rounded (
    .clk_i(clk_i), .word_i(sum), .word_o(rounded)
  );

  always_comb begin
    word_o = OutWidth'(rounded);
    if (Overflow != 0) begin
      if (rounded < Wide'(ClampLow)) word_o = OutWidth'(ClampLow);
      else if (rounded > Wide'(ClampHigh)) word_o = OutWidth'(ClampHigh);
    end
  end

endmodule
