/// floor(2**(StartBit + QuotientWidth) / divisor), one bit of the quotient a cycle, for 2**StartBit < divisor.
///
/// Division without restoring: the rest may be negative, and then the divisor is added where it was subtracted before;
/// a bit of the quotient is set where the rest is not negative. So a cycle has one addition.
/// A divisor is taken every QuotientWidth + 1 cycles; its quotient is there as many cycles later and waits until it is taken.
module dse_divider #(
  parameter int unsigned DivisorWidth  = 19,
  parameter int unsigned QuotientWidth = 15,
  parameter int unsigned StartBit      = 15  // of the one bit that the first rest has
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic                     valid_i,
  input  logic [DivisorWidth-1:0]  divisor_i,
  output logic                     take_o,      // the divisor is taken in this cycle
  output logic                     valid_o,
  input  logic                     take_i,      // the quotient is taken; only while valid
  output logic [QuotientWidth-1:0] quotient_o
);

  localparam int unsigned CountWidth = $clog2(QuotientWidth + 1);

  logic busy_q, valid_q, done, negative;
  logic [CountWidth-1:0] count_q;
  logic [DivisorWidth-1:0] divisor_q;
  logic [DivisorWidth:0] rest_q, rest;  // two's complement, -divisor <= rest < divisor
  logic [QuotientWidth-1:0] quotient_q;

  assign take_o     = valid_i && !busy_q && (!valid_q || take_i);
  assign valid_o    = valid_q;
  assign quotient_o = quotient_q;
  assign done       = busy_q && count_q == CountWidth'(QuotientWidth - 1);
  assign negative   = rest_q[DivisorWidth];
  // 2 * rest plus or minus the divisor; the 1 that completes its complement stands in the doubled rest's lowest bit.
  assign rest       = {rest_q[DivisorWidth-1:0], !negative} + ({1'b0, divisor_q} ^ {(DivisorWidth + 1){!negative}});

  always_ff @(posedge clk_i) begin
    if (take_o) begin
      divisor_q <= divisor_i;
      rest_q <= (DivisorWidth + 1)'(1) << StartBit;
    end else if (busy_q) begin
      rest_q <= rest;
      quotient_q <= QuotientWidth'({quotient_q, !rest[DivisorWidth]});
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      valid_q <= 1'b0;
      count_q <= '0;
    end else begin
      if (take_o) begin
        busy_q  <= 1'b1;
        count_q <= '0;
      end else if (busy_q) begin
        count_q <= count_q + 1'b1;
        busy_q  <= !done;
      end
      if (done) valid_q <= 1'b1;
      else if (take_i) valid_q <= 1'b0;
    end
  end

endmodule
