`include "dse_memory.svh"

/// Puts `Before` beats of a constant before every `Body` input beats, and `After` behind them.
///
/// Latency 1 cycle; one output beat per cycle. Beats before a period wait for its first input beat, so that nothing
/// leaves before a sample has come; those behind it wait for nothing.
/// Every output is a function of registers only. Reset empties it.
module dse_pad #(
  parameter int unsigned Lanes        = 2,  // elements per beat, >= 1
  parameter int unsigned ElementWidth = 8,  // bits of an element, >= 1
  parameter int unsigned Before       = 1,  // beats, >= 0
  parameter int unsigned Body         = 2,  // beats, >= 1
  parameter int unsigned After        = 1,  // beats, >= 0
  parameter int unsigned Periods      = 1,  // periods of a sample, >= 1
  parameter              ValueFile    = "", // one element
  localparam int unsigned Width       = Lanes * ElementWidth
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

  localparam int unsigned Period      = Before + Body + After;
  localparam int unsigned BeatWidth   = $clog2(Period + 1);
  localparam int unsigned PeriodWidth = Periods > 1 ? $clog2(Periods) : 1;

  logic [ElementWidth-1:0] value_memory[1];
  `DSE_LOAD_MEMORY(value_memory, ValueFile, "value")

  logic [BeatWidth-1:0] beat_q;      // within the period
  logic [PeriodWidth-1:0] period_q;  // within the sample
  logic body, behind, period_end, sample_end, valid, ready, push;

  // Counting from the first input beat also tells beats before it: they wrap to large numbers.
  assign body       = BeatWidth'(beat_q - BeatWidth'(Before)) < BeatWidth'(Body);
  assign behind     = beat_q >= BeatWidth'(Before + Body);
  assign period_end = beat_q == BeatWidth'(Period - 1);
  assign sample_end = period_end && period_q == PeriodWidth'(Periods - 1);
  assign in_ready_o = ready && body;
  assign valid      = behind || in_valid_i;
  assign push       = valid && ready;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      beat_q   <= '0;
      period_q <= '0;
    end else if (push) begin
      beat_q <= period_end ? '0 : beat_q + 1'b1;
      if (period_end) period_q <= sample_end ? '0 : period_q + 1'b1;
    end
  end

  dse_spill_register #(.Width(Width)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(valid), .in_ready_o(ready), .in_payload_i(body ? in_payload_i : {Lanes{value_memory[0]}}),
    .in_last_i(sample_end),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

  logic unused_in_last;
  assign unused_in_last = in_last_i;

endmodule
