`include "dse_memory.svh"

/// Reorders the beats of a whole sample: output beat `i` is input beat `address[i]`.
///
/// Two banks of one sample: one fills while the other is read. Latency 2 * Beats + 1 cycles from the first beat of a
/// sample to its last result, one beat per cycle sustained. A held output holds the reader, and the input once both
/// banks are full. Every output is a function of registers only. Reset forgets all data in flight; the order is kept.
module dse_permute #(
  parameter int unsigned Width       = 8,   // payload bits
  parameter int unsigned Beats       = 12,  // beats of a sample
  parameter              AddressFile = "",  // Beats addresses of $clog2(Beats) bits, at least 1
  localparam int unsigned AddressWidth = Beats > 1 ? $clog2(Beats) : 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_payload_i,
  input  logic             in_last_i,     // last beat of a sample
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_payload_o,
  output logic             out_last_o
);

  localparam int unsigned BankedWidth = $clog2(2 * Beats);

  logic [AddressWidth-1:0] address_memory[Beats];
  `DSE_LOAD_MEMORY(address_memory, AddressFile, "address")

  logic [Width-1:0] memory[2*Beats];

  // ---- Writer: the banks follow one another in the memory.
  logic [1:0] full_q;
  logic write_bank_q, push, written;
  logic [BankedWidth-1:0] write_addr_q;

  assign in_ready_o = !full_q[write_bank_q];
  assign push       = in_valid_i && in_ready_o;
  assign written    = push && in_last_i;

  always_ff @(posedge clk_i) if (push) memory[write_addr_q] <= in_payload_i;

  // ---- Reader: the address of the next beat is fetched before its bank is full, so no cycle is lost between samples.
  logic read_bank_q, read_valid_q, read_last_q, fetch_bank_q, fetch, take, spill_ready;
  logic [AddressWidth-1:0] fetch_q;  // beat whose address is fetched next
  logic [BankedWidth-1:0] read_addr_q;
  logic fetch_last;

  assign take       = read_valid_q && full_q[read_bank_q] && spill_ready;
  assign fetch      = take || !read_valid_q;
  assign fetch_last = fetch_q == AddressWidth'(Beats - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      full_q <= '0;
      write_bank_q <= 1'b0;
      write_addr_q <= '0;
      read_bank_q <= 1'b0;
      read_valid_q <= 1'b0;
      fetch_bank_q <= 1'b0;
      fetch_q <= '0;
    end else begin
      if (push) write_addr_q <= write_addr_q == BankedWidth'(2 * Beats - 1) ? '0 : write_addr_q + 1'b1;
      if (written) begin
        full_q[write_bank_q] <= 1'b1;
        write_bank_q <= !write_bank_q;
      end
      if (take && read_last_q) full_q[read_bank_q] <= 1'b0;
      if (fetch) begin
        read_valid_q <= 1'b1;
        read_bank_q  <= fetch_bank_q;
        fetch_bank_q <= fetch_bank_q ^ fetch_last;
        fetch_q      <= fetch_last ? '0 : fetch_q + 1'b1;
      end
    end
    if (fetch) begin
      read_addr_q <= BankedWidth'(address_memory[fetch_q]) + (fetch_bank_q ? BankedWidth'(Beats) : '0);
      read_last_q <= fetch_last;
    end
  end

  dse_spill_register #(.Width(Width)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(read_valid_q && full_q[read_bank_q]), .in_ready_o(spill_ready),
    .in_payload_i(memory[read_addr_q]), .in_last_i(read_last_q),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
