// Requantisation shared by every arithmetic operator: saturate(round(value * 2**-shift)), as hwgen.numbers.formats.round_shift
// followed by a clamp. Include it inside a module that defines:
//   RqWidth       value bits, two's complement
//   RqShiftWidth  bits of the shift amount; the shift is at most RqWidth
//   OutWidth      result bits
//   Rounding      0 floor, 1 half up, 2 half to even
//   Overflow      0 wrap, 1 saturate to [ClampLow, ClampHigh]
//   ClampLow, ClampHigh  integers in output words (activation functions such as ReLU and ReLU6 are clamps)

// Holds the rounded value and the clamp, whichever is wider.
localparam int unsigned RqWide = (RqWidth > OutWidth ? RqWidth : OutWidth) + 1;

function automatic logic [OutWidth-1:0] requantize(
    input logic signed [RqWidth-1:0] value, input logic [RqShiftWidth-1:0] shift);
  logic signed [RqWide-1:0] wide;
  logic signed [RqWide-1:0] offset;
  logic signed [RqWide-1:0] rounded;
  wide = RqWide'(value);
  offset = '0;
  if (Rounding != 0 && shift != '0) begin
    offset = RqWide'(1) << (shift - 1'b1);
    if (Rounding == 2) begin
      rounded = wide >>> shift;
      if (!rounded[0]) offset = offset - RqWide'(1);
    end
  end
  rounded = (wide + offset) >>> shift;
  if (Overflow != 0) begin
    if (rounded < RqWide'(ClampLow)) rounded = RqWide'(ClampLow);
    else if (rounded > RqWide'(ClampHigh)) rounded = RqWide'(ClampHigh);
  end
  return OutWidth'(rounded);
endfunction
