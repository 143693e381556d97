`include "dse_memory.svh"

/// Gathers rows of a stored table by token id: one id in, Blocks beats of Lanes elements out.
///
/// Latency 3 + Stages cycles from an id to its first beat, one output beat per cycle sustained. An id beyond the vocabulary
/// reads the last row. Levels that can have a register each (`dse_stages.svh`): the limit of the id before it is
/// multiplied, and the table's word before the output. A held output holds the input. Every output is a function of registers only. Reset forgets all
/// data in flight; the table is kept.
module dse_embedding #(
  parameter int unsigned Lanes      = 4,    // elements per output beat, >= 1
  parameter int unsigned Blocks     = 2,    // output beats per row, >= 1
  parameter int unsigned Vocabulary = 16,   // rows, >= 1
  parameter int unsigned InWidth    = 4,    // bits of an id, 1 to 24
  parameter int unsigned OutWidth   = 8,    // bits of an element, 1 to 16
  parameter int unsigned Stages     = 0,    // registers, at most Levels
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

  localparam int unsigned Levels = 2;
  `include "dse_stages.svh"

  // ---- Id, limited to the rows of the table.
  logic id_valid, id_last, id_ready;
  logic [InWidth-1:0] limited, id;

  assign limited = 32'(in_payload_i) < Vocabulary ? in_payload_i : InWidth'(Vocabulary - 1);

  if (registered(1)) begin : gen_id
    logic id_valid_q, id_last_q;
    logic [InWidth-1:0] id_q;
    assign in_ready_o = !id_valid_q || id_ready;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) id_valid_q <= 1'b0;
      else if (in_ready_o) id_valid_q <= in_valid_i;
      if (in_ready_o) begin
        id_q <= limited;
        id_last_q <= in_last_i;
      end
    end
    assign id_valid = id_valid_q;
    assign id_last  = id_last_q;
    assign id       = id_q;
  end else begin : gen_no_id
    assign in_ready_o = id_ready;
    assign id_valid   = in_valid_i;
    assign id_last    = in_last_i;
    assign id         = limited;
  end

  // ---- Row, beat by beat.
  logic row_valid_q, row_last_q, addr_valid_q, addr_last_q, row_end, stall, result_ready;
  logic [AddrWidth-1:0] row_q, addr, addr_q;  // first address of the row; next address; address read in this cycle
  logic [BlockWidth-1:0] block_q;

  assign addr     = row_q + AddrWidth'(block_q);
  assign row_end  = block_q == BlockWidth'(Blocks - 1);
  assign id_ready = !row_valid_q || (row_end && !stall);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      row_valid_q <= 1'b0;
      addr_valid_q <= 1'b0;
      block_q <= '0;
    end else begin
      if (id_ready) row_valid_q <= id_valid;
      if (!stall) begin
        addr_valid_q <= row_valid_q;
        if (row_valid_q) block_q <= row_end ? '0 : block_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (id_ready) begin
      row_q <= AddrWidth'(32'(id) * Blocks);
      row_last_q <= id_last;
    end
    if (!stall) begin
      addr_q <= addr;
      addr_last_q <= row_last_q && row_end;
    end
  end

  // ---- Word, behind the memory's register one of its own.
  logic word_valid, word_last;
  logic [OutPayload-1:0] read, word;

`ifdef SYNTHESIS
  // In logic, the enable of an address register would cost a multiplexer a bit.
  logic [OutPayload-1:0] read_q;
  always_ff @(posedge clk_i) if (!stall) read_q <= table_memory[addr];
  assign read = read_q;
`else
  assign read = table_memory[addr_q];
`endif

  if (registered(2)) begin : gen_word
    logic word_valid_q, word_last_q;
    logic [OutPayload-1:0] word_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) word_valid_q <= 1'b0;
      else if (!stall) word_valid_q <= addr_valid_q;
      if (!stall) begin
        word_q <= read;
        word_last_q <= addr_last_q;
      end
    end
    assign word_valid = word_valid_q;
    assign word_last  = word_last_q;
    assign word       = word_q;
  end else begin : gen_no_word
    assign word_valid = addr_valid_q;
    assign word_last  = addr_last_q;
    assign word       = read;
  end

  assign stall = word_valid && !result_ready;

  dse_spill_register #(.Width(OutPayload)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(word_valid), .in_ready_o(result_ready), .in_payload_i(word), .in_last_i(word_last),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
