/// Output of a pipeline that never stops: a stream buffer whose places are reserved before the pipeline is entered.
///
/// A result is issued only while `free_o` is set, and takes a place with `reserve_i` in that cycle; so what comes out of the
/// pipeline always finds one. `Depth` places, and one more beat in the output register. From `push_i` to the output two
/// cycles, `Delay` cycles more where simulation pushes what synthesis still has in its pipeline. One beat per cycle.
/// Every output is a function of registers only. Reset empties it.
module dse_credit_fifo #(
  parameter int unsigned Width = 8,  // payload bits, >= 1
  parameter int unsigned Depth = 4,  // places, >= 2
  parameter int unsigned Delay = 0   // cycles that a pushed beat is not seen yet
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             reserve_i,
  output logic             free_o,     // a place is free
  input  logic             push_i,
  input  logic [Width-1:0] payload_i,
  input  logic             last_i,
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_payload_o,
  output logic             out_last_o
);

  localparam int unsigned AddrWidth  = $clog2(Depth);
  localparam int unsigned CountWidth = $clog2(Depth + 1);

  // A fetch reads only what was written in an earlier cycle.
  (* no_rw_check *) logic [Width:0] memory[Depth];  // last above the payload
  logic [AddrWidth-1:0] write_addr_q, read_addr_q;
  logic [CountWidth-1:0] count_q, taken_q;  // beats seen, places taken
  logic [CountWidth-1:0] taken;
  logic [Width:0] head_q;
  logic head_valid_q, free_q, fetch, arrival;

  assign free_o        = free_q;
  assign taken         = taken_q + CountWidth'(reserve_i) - CountWidth'(fetch);
  assign fetch         = count_q != '0 && (!head_valid_q || out_ready_i);
  assign out_valid_o   = head_valid_q;
  assign out_payload_o = head_q[Width-1:0];
  assign out_last_o    = head_q[Width];

  if (Delay == 0) begin : gen_now
    assign arrival = push_i;
  end else begin : gen_later
    logic [Delay-1:0] pushed_q;
    always_ff @(posedge clk_i) pushed_q <= rst_ni ? Delay'({pushed_q, push_i}) : '0;
    assign arrival = pushed_q[Delay-1];
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_addr_q <= '0;
      read_addr_q  <= '0;
      count_q      <= '0;
      taken_q      <= '0;
      free_q       <= 1'b1;
      head_valid_q <= 1'b0;
    end else begin
      if (push_i) write_addr_q <= write_addr_q == AddrWidth'(Depth - 1) ? '0 : write_addr_q + 1'b1;
      if (fetch) read_addr_q <= read_addr_q == AddrWidth'(Depth - 1) ? '0 : read_addr_q + 1'b1;
      count_q      <= count_q + CountWidth'(arrival) - CountWidth'(fetch);
      taken_q      <= taken;
      free_q       <= taken != CountWidth'(Depth);
      head_valid_q <= fetch || (head_valid_q && !out_ready_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (push_i) memory[write_addr_q] <= {last_i, payload_i};
    if (fetch) head_q <= memory[read_addr_q];
  end

endmodule
