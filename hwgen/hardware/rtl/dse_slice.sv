/// Keeps beats `First` to `First + Kept - 1` of every `Period` beats and drops the others.
///
/// Latency 1 cycle; one input beat per cycle. Dropped beats are taken even while the output is blocked.
/// Every output is a function of registers only. Reset empties it.
module dse_slice #(
  parameter int unsigned Width   = 8,  // payload bits, >= 1
  parameter int unsigned Period  = 4,  // beats, >= 1
  parameter int unsigned First   = 1,  // first beat kept, < Period
  parameter int unsigned Kept    = 2,  // beats kept, First + Kept <= Period
  parameter int unsigned Periods = 1   // periods of a sample, >= 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_payload_i,
  input  logic             in_last_i,
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_payload_o,
  output logic             out_last_o
);

  localparam int unsigned BeatWidth   = $clog2(Period + 1);
  localparam int unsigned PeriodWidth = Periods > 1 ? $clog2(Periods) : 1;

  logic [BeatWidth-1:0] beat_q;      // within the period
  logic [PeriodWidth-1:0] period_q;  // within the sample
  logic keep, last_kept, period_end, push, ready;

  // Counting down from the first kept beat also tells beats before it: they wrap to large numbers.
  assign keep       = BeatWidth'(beat_q - BeatWidth'(First)) < BeatWidth'(Kept);
  assign last_kept  = beat_q == BeatWidth'(First + Kept - 1) && period_q == PeriodWidth'(Periods - 1);
  assign period_end = beat_q == BeatWidth'(Period - 1);
  assign in_ready_o = ready || !keep;
  assign push       = in_valid_i && in_ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      beat_q   <= '0;
      period_q <= '0;
    end else if (push) begin
      beat_q <= period_end ? '0 : beat_q + 1'b1;
      // The input knows where its sample ends; only a sample's last kept beat has to be found by counting.
      if (in_last_i) period_q <= '0;
      else if (period_end) period_q <= period_q + 1'b1;
    end
  end

  dse_spill_register #(.Width(Width)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(in_valid_i && keep), .in_ready_o(ready), .in_payload_i(in_payload_i), .in_last_i(last_kept),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
