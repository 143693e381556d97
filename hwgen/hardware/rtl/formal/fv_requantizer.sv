/// What `dse_requantizer` has to be: the function that simulation uses, as many cycles later as it has registers.
module fv_requantizer #(
  parameter int unsigned Width      = 12,
  parameter int unsigned ShiftWidth = 3,
  parameter int unsigned OutWidth   = 5,
  parameter int          Rounding   = 1,
  parameter int          Overflow   = 1,
  parameter longint      ClampLow   = -16,
  parameter longint      ClampHigh  = 15,
  parameter logic [1:0]  Registers  = '0
) (
  input  logic                    clk_i,
  input  logic signed [Width-1:0] value_i,
  input  logic [ShiftWidth-1:0]   shift_i,
  output logic [OutWidth-1:0]     word_o
);
  localparam int unsigned RqWidth      = Width;
  localparam int unsigned RqShiftWidth = ShiftWidth;
  `include "dse_requantize.svh"

  dse_delay #(.Width(OutWidth), .Cycles($countones(Registers))) u_later (
    .clk_i(clk_i), .word_i(requantize(value_i, shift_i)), .word_o(word_o)
  );
endmodule
