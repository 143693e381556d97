/// Sends every `Beats` input beats `Copies` times, each payload `Spread` times side by side (broadcasting).
///
/// The first copy passes straight through and is stored; the others come from the store while the input waits.
/// Latency 1 cycle, one output beat per cycle. Every output is a function of registers only. Reset empties it.
module dse_repeat #(
  parameter int unsigned Width  = 8,  // bits of an input beat, >= 1
  parameter int unsigned Beats  = 2,  // beats that are repeated as a whole, >= 1
  parameter int unsigned Copies = 2,  // >= 1
  parameter int unsigned Spread = 1   // input payloads in an output beat, >= 1
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic                    in_valid_i,
  output logic                    in_ready_o,
  input  logic [Width-1:0]        in_payload_i,
  input  logic                    in_last_i,
  output logic                    out_valid_o,
  input  logic                    out_ready_i,
  output logic [Spread*Width-1:0] out_payload_o,
  output logic                    out_last_o
);

  localparam int unsigned AddrWidth = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned CopyWidth = Copies > 1 ? $clog2(Copies) : 1;

  logic [Width-1:0] memory[Beats];
  logic [AddrWidth-1:0] addr_q;
  logic [CopyWidth-1:0] copy_q;
  logic sample_end_q;  // the stored beats end a sample
  logic first, valid, ready, step, block_end, copies_end, ends_sample;

  assign first       = copy_q == '0;
  assign valid       = !first || in_valid_i;
  assign in_ready_o  = first && ready;
  assign step        = valid && ready;
  assign block_end   = addr_q == AddrWidth'(Beats - 1);
  assign copies_end  = copy_q == CopyWidth'(Copies - 1);
  assign ends_sample = first ? in_last_i : sample_end_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      addr_q <= '0;
      copy_q <= '0;
    end else if (step) begin
      addr_q <= block_end ? '0 : addr_q + 1'b1;
      if (block_end) copy_q <= copies_end ? '0 : copy_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (step && first) begin
      memory[addr_q] <= in_payload_i;
      sample_end_q   <= in_last_i;
    end
  end

  logic [Width-1:0] out_payload;
  dse_spill_register #(.Width(Width)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(valid), .in_ready_o(ready), .in_payload_i(first ? in_payload_i : memory[addr_q]),
    .in_last_i(block_end && copies_end && ends_sample),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload), .out_last_o(out_last_o)
  );
  assign out_payload_o = {Spread{out_payload}};

endmodule
