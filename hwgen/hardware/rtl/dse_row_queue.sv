/// What is known of rows that wait for an operator's next step: a queue whose places the operator counts, so that it
/// never overflows. A word is seen in the cycle after its push, `Delay` cycles later where simulation pushes what synthesis
/// still has in its pipeline. Every output is a function of registers only. Reset empties it.
module dse_row_queue #(
  parameter int unsigned Width = 8,  // bits of a word, >= 1
  parameter int unsigned Depth = 2,  // places, >= 1
  parameter int unsigned Delay = 0   // cycles that a word is not seen yet
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             push_i,
  input  logic [Width-1:0] word_i,
  output logic             valid_o,
  input  logic             pop_i,    // only while valid
  output logic [Width-1:0] word_o
);

  localparam int unsigned AddrWidth  = Depth > 1 ? $clog2(Depth) : 1;
  localparam int unsigned CountWidth = $clog2(Depth + 1);

  logic [Width-1:0] memory[Depth];
  logic [AddrWidth-1:0] write_addr_q, read_addr_q;
  logic [CountWidth-1:0] count_q, count;
  logic valid_q, arrival;

  assign count   = count_q + CountWidth'(arrival) - CountWidth'(pop_i);
  assign valid_o = valid_q;
  assign word_o  = memory[read_addr_q];

  dse_event #(.Cycles(Delay)) u_pushed (.clk_i(clk_i), .rst_ni(rst_ni), .event_i(push_i), .event_o(arrival));

  always_ff @(posedge clk_i) if (push_i) memory[write_addr_q] <= word_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_addr_q <= '0;
      read_addr_q  <= '0;
      count_q      <= '0;
      valid_q      <= 1'b0;
    end else begin
      if (push_i) write_addr_q <= write_addr_q == AddrWidth'(Depth - 1) ? '0 : write_addr_q + 1'b1;
      if (pop_i) read_addr_q <= read_addr_q == AddrWidth'(Depth - 1) ? '0 : read_addr_q + 1'b1;
      count_q <= count;
      valid_q <= count != '0;
    end
  end

endmodule
