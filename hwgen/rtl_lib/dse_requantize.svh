// Requantisation shared by every arithmetic operator: saturate(round(value * 2**-shift)), as hwgen.formats.round_shift
// followed by a clamp. Include it inside a module that defines:
//   RqWidth       value bits, two's complement
//   RqShiftWidth  bits of the shift amount; the shift is at most RqWidth
//   OutWidth      result bits
//   Rounding      0 floor, 1 half up, 2 half to even
//   Overflow      0 wrap, 1 saturate to [ClampLow, ClampHigh]
//   ClampLow, ClampHigh  integers in output words (activation functions such as ReLU and ReLU6 are clamps)
function automatic logic [OutWidth-1:0] requantize(
    input logic signed [RqWidth-1:0] value, input logic [RqShiftWidth-1:0] shift);
  logic signed [RqWidth:0] wide;
  logic signed [RqWidth:0] offset;
  logic signed [RqWidth:0] rounded;
  wide = (RqWidth + 1)'(value);
  offset = '0;
  if (Rounding != 0 && shift != '0) begin
    offset = (RqWidth + 1)'(1) << (shift - 1'b1);
    if (Rounding == 2) begin
      rounded = wide >>> shift;
      if (!rounded[0]) offset = offset - (RqWidth + 1)'(1);
    end
  end
  rounded = (wide + offset) >>> shift;
  if (Overflow != 0) begin
    if (rounded < (RqWidth + 1)'(ClampLow)) rounded = (RqWidth + 1)'(ClampLow);
    else if (rounded > (RqWidth + 1)'(ClampHigh)) rounded = (RqWidth + 1)'(ClampHigh);
  end
  return OutWidth'(rounded);
endfunction
