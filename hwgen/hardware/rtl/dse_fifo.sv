/// Stream buffer of `Depth` beats.
///
/// Up to two beats it is a spill register (latency 1 cycle). Deeper, it is a memory of Depth - 1 beats with a registered
/// read into an output register (block-RAM pattern, latency 2 cycles). One beat per cycle is sustained at every depth,
/// and `Depth` beats (never fewer than 2) are accepted before a blocked output stops the input.
/// Every output is a function of registers only. Reset empties it.
module dse_fifo #(
  parameter int unsigned Width = 8,  // payload bits, >= 1
  parameter int unsigned Depth = 4   // beats, >= 1
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

  if (Depth <= 2) begin : gen_registers
    dse_spill_register #(.Width(Width)) u_spill (
      .clk_i(clk_i), .rst_ni(rst_ni),
      .in_valid_i(in_valid_i), .in_ready_o(in_ready_o), .in_payload_i(in_payload_i), .in_last_i(in_last_i),
      .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
    );
  end else begin : gen_memory
    localparam int unsigned MemoryDepth = Depth - 1;  // >= 2: a beat stays in memory for a cycle
    localparam int unsigned AddrWidth   = $clog2(MemoryDepth);
    localparam int unsigned CountWidth  = $clog2(MemoryDepth + 1);

    logic [Width:0] memory[MemoryDepth];  // last above the payload
    logic [AddrWidth-1:0] write_addr_q, read_addr_q;
    logic [CountWidth-1:0] count_q;  // beats in memory
    logic [Width:0] head_q;
    logic head_valid_q, push, fetch;

    assign in_ready_o = count_q != CountWidth'(MemoryDepth);
    assign push       = in_valid_i && in_ready_o;
    // Only beats written in an earlier cycle are counted, so a fetch never meets a write to its address.
    assign fetch      = count_q != '0 && (!head_valid_q || out_ready_i);

    assign out_valid_o   = head_valid_q;
    assign out_payload_o = head_q[Width-1:0];
    assign out_last_o    = head_q[Width];

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        write_addr_q <= '0;
        read_addr_q  <= '0;
        count_q      <= '0;
        head_valid_q <= 1'b0;
      end else begin
        if (push) write_addr_q <= write_addr_q == AddrWidth'(MemoryDepth - 1) ? '0 : write_addr_q + 1'b1;
        if (fetch) read_addr_q <= read_addr_q == AddrWidth'(MemoryDepth - 1) ? '0 : read_addr_q + 1'b1;
        count_q      <= count_q + CountWidth'(push) - CountWidth'(fetch);
        head_valid_q <= fetch || (head_valid_q && !out_ready_i);
      end
    end

    always_ff @(posedge clk_i) begin
      if (push) memory[write_addr_q] <= {in_last_i, in_payload_i};
      if (fetch) head_q <= memory[read_addr_q];
    end
  end

endmodule
