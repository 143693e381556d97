`include "dse_memory.svh"

/// Look-up of each element in one table of 2**InWidth words: any pointwise function of a narrow word.
///
/// Latency 2 cycles from input to output beat, one beat per cycle sustained. Every lane has its own read port of the
/// one table, in synthesis its own copy. A held output holds the input. Every output is a function of registers only.
/// Reset forgets all data in flight; the table is kept.
module dse_table #(
  parameter int unsigned Lanes    = 4,  // elements per beat, >= 1
  parameter int unsigned InWidth  = 8,  // bits of an input element, 1 to 12
  parameter int unsigned OutWidth = 8,  // bits of an output element, 1 to 16
  parameter              TableFile = "",  // 2**InWidth words of OutWidth bits, by the input's bit pattern
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

  logic index_valid_q, index_last_q, result_ready, stall;
  logic [OutPayload-1:0] result;

  assign stall      = index_valid_q && !result_ready;
  assign in_ready_o = !stall;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) index_valid_q <= 1'b0;
    else if (!stall) index_valid_q <= in_valid_i;
    if (!stall) index_last_q <= in_last_i;
  end

`ifdef SYNTHESIS
  // A memory for each lane: Yosys weighs every assignment of read ports to copies, and runs out of memory at 15 lanes.
  // The register is after the memory: in logic, the enable of an address register would cost a multiplexer a bit.
  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [OutWidth-1:0] lane_memory[1<<InWidth];
    logic [OutWidth-1:0] word_q;
    initial $readmemh(TableFile, lane_memory);
    always_ff @(posedge clk_i) if (!stall) word_q <= lane_memory[in_payload_i[i*InWidth+:InWidth]];
    assign result[i*OutWidth+:OutWidth] = word_q;
  end
`else
  logic [OutWidth-1:0] table_memory[1<<InWidth];
  logic [InPayload-1:0] index_q;
  `DSE_LOAD_MEMORY(table_memory, TableFile, "table")
  always_ff @(posedge clk_i) if (!stall) index_q <= in_payload_i;
  always_comb begin
    result = '0;
    for (int i = 0; i < Lanes; i++) result[i*OutWidth+:OutWidth] = table_memory[index_q[i*InWidth+:InWidth]];
  end
`endif

  dse_spill_register #(.Width(OutPayload)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(index_valid_q), .in_ready_o(result_ready), .in_payload_i(result), .in_last_i(index_last_q),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
