`include "dse_memory.svh"

/// Gathers rows of a stored table by token id: one id in, Blocks beats of Lanes elements out.
///
/// Latency 3 cycles from an id to its first beat, one output beat per cycle sustained. An id beyond the vocabulary
/// reads the last row. A held output holds the input. Every output is a function of registers only. Reset forgets all
/// data in flight; the table is kept.
module dse_embedding #(
  parameter int unsigned Lanes      = 4,    // elements per output beat, >= 1
  parameter int unsigned Blocks     = 2,    // output beats per row, >= 1
  parameter int unsigned Vocabulary = 16,   // rows, >= 1
  parameter int unsigned InWidth    = 4,    // bits of an id, 1 to 24
  parameter int unsigned OutWidth   = 8,    // bits of an element, 1 to 16
  parameter              TableFile  = "",   // Vocabulary*Blocks words of Lanes elements
  localparam int unsigned OutPayload = Lanes * OutWidth
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  in_valid_i,
  output logic                  in_ready_o,
  input  logic [InWidth-1:0]    in_payload_i,  // unsigned id
  input  logic                  in_last_i,     // last id of a sample
  output logic                  out_valid_o,
  input  logic                  out_ready_i,
  output logic [OutPayload-1:0] out_payload_o,
  output logic                  out_last_o
);

  localparam int unsigned Depth      = Vocabulary * Blocks;
  localparam int unsigned AddrWidth  = Depth > 1 ? $clog2(Depth) : 1;
  localparam int unsigned BlockWidth = Blocks > 1 ? $clog2(Blocks) : 1;

  logic [OutPayload-1:0] table_memory[Depth];
  `DSE_LOAD_MEMORY(table_memory, TableFile, "table")

  logic row_valid_q, row_last_q, addr_valid_q, addr_last_q, row_end, stall, result_ready;
  logic [AddrWidth-1:0] row_q, addr, addr_q;  // first address of the row; next address; address read in this cycle
  logic [BlockWidth-1:0] block_q;

  assign stall      = addr_valid_q && !result_ready;
  assign addr       = row_q + AddrWidth'(block_q);
  assign row_end    = block_q == BlockWidth'(Blocks - 1);
  assign in_ready_o = !row_valid_q || (row_end && !stall);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      row_valid_q <= 1'b0;
      addr_valid_q <= 1'b0;
      block_q <= '0;
    end else begin
      if (in_ready_o) row_valid_q <= in_valid_i;
      if (!stall) begin
        addr_valid_q <= row_valid_q;
        if (row_valid_q) block_q <= row_end ? '0 : block_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (in_ready_o) begin
      row_q <= AddrWidth'((32'(in_payload_i) < Vocabulary ? 32'(in_payload_i) : Vocabulary - 1) * Blocks);
      row_last_q <= in_last_i;
    end
    if (!stall) begin
      addr_q <= addr;
      addr_last_q <= row_last_q && row_end;
    end
  end

`ifdef SYNTHESIS
  // In logic, the enable of an address register would cost a multiplexer a bit.
  logic [OutPayload-1:0] word_q;
  always_ff @(posedge clk_i) if (!stall) word_q <= table_memory[addr];
`endif

  dse_spill_register #(.Width(OutPayload)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(addr_valid_q), .in_ready_o(result_ready), 
    .in_payload_i(`DSE_READ(table_memory[addr_q], word_q)), .in_last_i(addr_last_q),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
