/// Layer normalisation of rows of n = Blocks * Lanes elements, in integers that cancel the mean's and the variance's 1/n:
///   w   = (n * sum(x*x) - sum(x)**2) * 4**Guard + epsilon          (n**2 times the variance, at the input's scale)
///   s   = isqrt of the RootBits most significant bit pairs of w     (2**(RootBits-1) <= s < 2**RootBits)
///   r   = floor(2**(2*RootBits-1) / s)
///   z   = round((n * x - sum(x)) * r / 2**(RootBits - 1 + HalfWidth - Guard - k - Fraction))
///   k   = leading zero pairs of w, at most HalfWidth - 1 - Guard (more only in a row of equal elements, where z is 0)
///   out = requantize(z * gamma + beta)
/// Steps, cycles and registers are those of dse_norm.
module dse_layer_norm #(
  parameter int unsigned Lanes       = 4,    // elements per beat, >= 1
  parameter int unsigned Blocks      = 2,    // beats per row, >= 1
  parameter int unsigned InWidth     = 8,    // bits of an input element
  parameter bit          InSigned    = 1,
  parameter int unsigned SumWidth    = 12,   // bits of sum(x), two's complement
  parameter int unsigned SquareWidth = 18,   // bits of sum(x*x), unsigned
  parameter int unsigned HalfWidth   = 12,   // w has 2 * HalfWidth bits, HalfWidth in RootBits..31
  parameter int unsigned Guard       = 0,    // zero pairs below the variance, so that epsilon has a fraction
  parameter int unsigned RootBits    = 12,   // bits of the root, >= 4
  parameter int unsigned Fraction    = 11,   // fraction bits of z, at most RootBits
  parameter int unsigned NumWidth    = 13,   // bits of n * x - sum(x), two's complement
  parameter int unsigned ZWidth      = 14,   // bits of z, two's complement
  parameter int unsigned GammaWidth  = 10,   // bits of gamma, two's complement
  parameter int unsigned AccWidth    = 25,   // bits of z * gamma + beta
  parameter int unsigned ShiftWidth  = 5,    // bits of the requantisation shift
  parameter int unsigned OutWidth    = 8,    // bits of an output element
  parameter int unsigned Stages      = 0,    // registers within the arithmetic, see dse_norm
  parameter int          Rounding    = 1,
  parameter int          Overflow    = 1,
  parameter longint      ClampLow    = -128,
  parameter longint      ClampHigh   = 127,
  parameter              GammaFile   = "",   // Blocks words of Lanes gammas
  parameter              BetaFile    = "",   // Blocks words of Lanes betas, AccWidth bits, at the scale of z * gamma
  parameter              EpsilonFile = "",   // one word of 2 * HalfWidth bits
  parameter              ShiftFile   = "",   // one shift
  localparam int unsigned InPayload  = Lanes * InWidth,
  localparam int unsigned OutPayload = Lanes * OutWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  in_valid_i,
  output logic                  in_ready_o,
  input  logic [InPayload-1:0]  in_payload_i,
  input  logic                  in_last_i,  // last beat of a sample
  output logic                  out_valid_o,
  input  logic                  out_ready_i,
  output logic [OutPayload-1:0] out_payload_o,
  output logic                  out_last_o
);

  dse_norm #(
    .Centred(1), .Lanes(Lanes), .Blocks(Blocks), .InWidth(InWidth), .InSigned(InSigned), .SumWidth(SumWidth),
    .SquareWidth(SquareWidth), .HalfWidth(HalfWidth), .Guard(Guard), .RootBits(RootBits), .Fraction(Fraction),
    .NumWidth(NumWidth), .ZWidth(ZWidth), .GammaWidth(GammaWidth), .AccWidth(AccWidth),
    .ShiftWidth(ShiftWidth), .OutWidth(OutWidth), .Stages(Stages), .Rounding(Rounding), .Overflow(Overflow),
    .ClampLow(ClampLow), .ClampHigh(ClampHigh), .GammaFile(GammaFile), .BetaFile(BetaFile),
    .EpsilonFile(EpsilonFile), .ShiftFile(ShiftFile)
  ) u_norm (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(in_valid_i), .in_ready_o(in_ready_o), .in_payload_i(in_payload_i), .in_last_i(in_last_i),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
