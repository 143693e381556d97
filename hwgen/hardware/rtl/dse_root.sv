/// Integer square root, one bit a cycle.
///
/// Without restoring, as dse_divider: where the rest is negative, what was subtracted too much goes into the next addition. For
/// a rest of at least 0 the trial 4 * root + 1 is subtracted, which is adding {~root, 2'b11}; else {root, 2'b11} is added.
/// A radicand is taken every RootBits + 1 cycles; its root is there as many cycles later and waits until it is taken.
module dse_root #(
  parameter int unsigned RootBits = 12
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  valid_i,
  input  logic [2*RootBits-1:0] radicand_i,
  output logic                  take_o,    // the radicand is taken in this cycle
  output logic                  valid_o,
  input  logic                  take_i,    // the root is taken; only while valid
  output logic [RootBits-1:0]   root_o
);

  localparam int unsigned CountWidth = $clog2(RootBits + 1);

  logic busy_q, valid_q, done, negative;
  logic [CountWidth-1:0] count_q;
  logic [2*RootBits-1:0] radicand_q;
  logic [RootBits+2:0] rest_q, rest;  // two's complement
  logic [RootBits-1:0] root_q;

  assign take_o   = valid_i && !busy_q && (!valid_q || take_i);
  assign valid_o  = valid_q;
  assign root_o   = root_q;
  assign done     = busy_q && count_q == CountWidth'(RootBits - 1);
  assign negative = rest_q[RootBits+2];
  assign rest     = {rest_q[RootBits:0], radicand_q[2*RootBits-1-:2]}
      + {{1'b0, root_q} ^ {(RootBits + 1){!negative}}, 2'b11};

  always_ff @(posedge clk_i) begin
    if (take_o) begin
      radicand_q <= radicand_i;
      rest_q <= '0;
      root_q <= '0;
    end else if (busy_q) begin
      radicand_q <= radicand_q << 2;
      rest_q <= rest;
      root_q <= RootBits'({root_q, !rest[RootBits+2]});
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
