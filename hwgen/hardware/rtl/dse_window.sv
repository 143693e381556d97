/// Sliding-window generator over a grid of feature vectors: the line buffer of convolution and pooling.
///
/// A sample is GridRows x GridColumns pixels of `Blocks` beats, row-major. For every output pixel, row-major, it sends
/// for each channel block, for each kernel row, for each kernel column one beat: OutRows * OutColumns * Blocks *
/// KernelH * KernelW beats a sample. Positions outside the grid read as the pad element with exponents 0.
/// The buffer is circular and holds `Rows` grid rows. A beat is sent as soon as it has been written; the writer waits
/// only where it would overwrite a row that is still needed, so the next sample loads while this one is read.
/// Latency from the write of a beat to its first appearance: 3 cycles. One beat per cycle in and one per cycle out.
/// Padding is not sent before the first beat of its sample has arrived.
/// Every output is a function of registers only. Reset forgets all data.
module dse_window #(
  parameter int unsigned GridRows     = 5,  // >= 1
  parameter int unsigned GridColumns  = 5,  // >= 1
  parameter int unsigned Blocks       = 2,  // beats per pixel, >= 1
  parameter int unsigned Lanes        = 4,  // elements per beat, >= 1
  parameter int unsigned ElementWidth = 8,  // bits of an element
  parameter int unsigned ExpWidth     = 0,  // bits of all shared exponents of a beat, 0: integers
  parameter int unsigned KernelH      = 3,
  parameter int unsigned KernelW      = 3,
  parameter int unsigned StrideH      = 1,
  parameter int unsigned StrideW      = 1,
  parameter int unsigned DilationH    = 1,
  parameter int unsigned DilationW    = 1,
  parameter int unsigned PadTop       = 0,
  parameter int unsigned PadLeft      = 0,
  parameter int unsigned OutRows      = 3,
  parameter int unsigned OutColumns   = 3,
  parameter int unsigned Rows         = 4,  // rows of the buffer, at least those that one output row reads
  parameter int          PadElement   = 0,  // word of an element outside the grid
  localparam int unsigned Payload     = Lanes * ElementWidth + ExpWidth
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               in_valid_i,
  output logic               in_ready_o,
  input  logic [Payload-1:0] in_payload_i,  // exponents above the elements
  input  logic               in_last_i,     // last beat of a sample
  output logic               out_valid_o,
  input  logic               out_ready_i,
  output logic [Payload-1:0] out_payload_o,
  output logic               out_last_o
);

  localparam int unsigned RowBeats = GridColumns * Blocks;
  localparam int unsigned Depth    = Rows * RowBeats;
  // Largest distance of a read position from the first one, over all output pixels.
  localparam int unsigned ReachY   = (OutRows - 1) * StrideH + (KernelH - 1) * DilationH;
  localparam int unsigned ReachX   = (OutColumns - 1) * StrideW + (KernelW - 1) * DilationW;
  localparam int unsigned YWidth   = $clog2(ReachY + StrideH + DilationH + PadTop + GridRows + 2) + 1;     // signed
  localparam int unsigned XWidth   = $clog2(ReachX + StrideW + DilationW + PadLeft + GridColumns + 2) + 1; // signed
  localparam int unsigned ColWidth = $clog2((ReachX + StrideW + DilationW + PadLeft + GridColumns + 2) * Blocks) + 1;
  localparam int unsigned AddrWidth  = $clog2(2 * Depth);  // one more than an address, for the sum before the wrap
  localparam int unsigned IndexWidth = Depth > 1 ? $clog2(Depth) : 1;
  localparam int unsigned SpaceWidth = $clog2(Rows + GridRows + 1);
  localparam int unsigned AheadWidth = $clog2(Rows / GridRows + 4) + 1;
  localparam int unsigned KxWidth  = KernelW > 1 ? $clog2(KernelW) : 1;
  localparam int unsigned KyWidth  = KernelH > 1 ? $clog2(KernelH) : 1;
  localparam int unsigned CbWidth  = Blocks > 1 ? $clog2(Blocks) : 1;
  localparam int unsigned OxWidth  = OutColumns > 1 ? $clog2(OutColumns) : 1;
  localparam int unsigned OyWidth  = OutRows > 1 ? $clog2(OutRows) : 1;

  // Steps of the row address, in beats modulo the buffer. Grid rows of all samples follow one another in the buffer.
  localparam logic [AddrWidth-1:0] KernelStep = AddrWidth'((DilationH % Rows) * RowBeats);
  localparam logic [AddrWidth-1:0] OutStep    = AddrWidth'((StrideH % Rows) * RowBeats);
  localparam logic [AddrWidth-1:0] FirstRow   = AddrWidth'(((Rows - PadTop % Rows) % Rows) * RowBeats);
  localparam logic [AddrWidth-1:0] SampleStep =
      AddrWidth'(((GridRows + Rows * OutRows * StrideH - (OutRows - 1) * StrideH) % Rows) * RowBeats);

  localparam logic signed [XWidth-1:0]   FirstX   = -XWidth'(PadLeft);
  localparam logic signed [YWidth-1:0]   FirstY   = -YWidth'(PadTop);
  localparam logic signed [ColWidth-1:0] FirstCol = -ColWidth'(PadLeft * Blocks);
  localparam logic [Payload-1:0] PadWord = Payload'({Lanes{ElementWidth'(PadElement)}});

  function automatic logic [AddrWidth-1:0] advance(input logic [AddrWidth-1:0] address, input logic [AddrWidth-1:0] step);
    logic [AddrWidth-1:0] sum;
    sum = address + step;
    return sum >= AddrWidth'(Depth) ? sum - AddrWidth'(Depth) : sum;
  endfunction

  /// Grid rows above row `y + below`: those that no later output row reads.
  function automatic logic [SpaceWidth-1:0] rows_above(input logic signed [YWidth-1:0] y, input int below);
    if (y < -YWidth'(below)) return '0;
    if (y > YWidth'(int'(GridRows) - below)) return SpaceWidth'(GridRows);
    return SpaceWidth'(y + YWidth'(below));
  endfunction

  // A beat is read after it was written, and its row written again after that; what is read for padding is not used.
  (* no_rw_check *) logic [Payload-1:0] memory[Depth];

  // ---- Writer.
  logic push, row_written, stall, issue;
  logic [AddrWidth-1:0] write_addr_q;
  logic signed [ColWidth-1:0] write_col_q;  // beat within the row
  logic signed [YWidth-1:0] write_row_q;
  logic [SpaceWidth-1:0] space_q;           // grid rows that may still be completed
  logic [SpaceWidth-1:0] freed_q;           // rows that no beat reads after the next one

  assign in_ready_o  = space_q != '0;
  assign push        = in_valid_i && in_ready_o;
  assign row_written = push && write_col_q == ColWidth'(RowBeats - 1);

  always_ff @(posedge clk_i) if (push) memory[IndexWidth'(write_addr_q)] <= in_payload_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_addr_q <= '0;
      write_col_q <= '0;
      write_row_q <= '0;
      space_q <= SpaceWidth'(Rows);
    end else begin
      if (push) begin
        write_addr_q <= advance(write_addr_q, AddrWidth'(1));
        write_col_q  <= row_written ? '0 : write_col_q + 1'b1;
      end
      if (row_written) write_row_q <= in_last_i ? '0 : write_row_q + 1'b1;
      // The sums do not wait for what selects between them.
      if (issue) space_q <= row_written ? space_q + freed_q - 1'b1 : space_q + freed_q;
      else if (row_written) space_q <= space_q - 1'b1;
    end
  end

  // ---- Reader: position of the beat after the next one, five nested counters from kernel column to output row.
  logic [KxWidth-1:0] kx_q;
  logic [KyWidth-1:0] ky_q;
  logic [CbWidth-1:0] cb_q;
  logic [OxWidth-1:0] ox_q;
  logic [OyWidth-1:0] oy_q;
  logic signed [XWidth-1:0] x_q, x_first_q;        // column, and column of the first kernel column
  logic signed [ColWidth-1:0] col_q, col_first_q;  // column * Blocks + channel block
  logic signed [YWidth-1:0] y_q, y_first_q;
  logic [AddrWidth-1:0] row_addr_q, row_first_q;   // where row y begins in the buffer
  logic kx_end, ky_end, cb_end, ox_end, oy_end, kernel_end, row_end, sample_end, in_grid, step;
  logic next_valid_q;  // where the next beat lies is known: always, but for the first cycle

  assign kx_end = kx_q == KxWidth'(KernelW - 1);
  assign ky_end = ky_q == KyWidth'(KernelH - 1);
  assign cb_end = cb_q == CbWidth'(Blocks - 1);
  assign ox_end = ox_q == OxWidth'(OutColumns - 1);
  assign oy_end = oy_q == OyWidth'(OutRows - 1);
  assign kernel_end = kx_end && ky_end;
  assign row_end    = kernel_end && cb_end && ox_end;
  assign sample_end = row_end && oy_end;

  assign in_grid  = x_q >= 0 && x_q < XWidth'(GridColumns) && y_q >= 0 && y_q < YWidth'(GridRows);
  assign step     = issue || !next_valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      kx_q <= '0;
      ky_q <= '0;
      cb_q <= '0;
      ox_q <= '0;
      oy_q <= '0;
      x_q <= FirstX;
      x_first_q <= FirstX;
      col_q <= FirstCol;
      col_first_q <= FirstCol;
      y_q <= FirstY;
      y_first_q <= FirstY;
      row_addr_q <= FirstRow;
      row_first_q <= FirstRow;
    end else if (step) begin
      kx_q  <= kx_end ? '0 : kx_q + 1'b1;
      x_q   <= x_q + XWidth'(DilationW);
      col_q <= col_q + ColWidth'(DilationW * Blocks);
      if (kx_end) begin
        ky_q  <= ky_end ? '0 : ky_q + 1'b1;
        x_q   <= x_first_q;
        col_q <= col_first_q;
        y_q   <= y_q + YWidth'(DilationH);
        row_addr_q <= advance(row_addr_q, KernelStep);
      end
      if (kernel_end) begin
        cb_q  <= cb_end ? '0 : cb_q + 1'b1;
        col_q <= col_first_q + 1'b1;
        col_first_q <= col_first_q + 1'b1;
        y_q   <= y_first_q;
        row_addr_q <= row_first_q;
      end
      if (kernel_end && cb_end) begin
        ox_q  <= ox_end ? '0 : ox_q + 1'b1;
        x_q   <= ox_end ? FirstX : x_first_q + XWidth'(StrideW);
        x_first_q <= ox_end ? FirstX : x_first_q + XWidth'(StrideW);
        col_q <= ox_end ? FirstCol : col_first_q + ColWidth'(StrideW * Blocks - Blocks + 1);
        col_first_q <= ox_end ? FirstCol : col_first_q + ColWidth'(StrideW * Blocks - Blocks + 1);
      end
      if (row_end) begin
        oy_q <= oy_end ? '0 : oy_q + 1'b1;
        y_q  <= oy_end ? FirstY : y_first_q + YWidth'(StrideH);
        y_first_q <= oy_end ? FirstY : y_first_q + YWidth'(StrideH);
        row_addr_q  <= advance(row_first_q, oy_end ? SampleStep : OutStep);
        row_first_q <= advance(row_first_q, oy_end ? SampleStep : OutStep);
      end
    end
  end

  // ---- The next beat: where it lies, and whether it has been written.
  logic next_in_grid_q, next_sample_end_q, started, written;
  logic signed [YWidth-1:0] next_y_q;
  logic signed [ColWidth-1:0] next_col_q;
  logic [IndexWidth-1:0] next_addr_q;
  logic signed [AheadWidth-1:0] ahead_q;  // samples that the writer is ahead of the reader, -1 or more

  always_ff @(posedge clk_i) begin
    next_valid_q <= rst_ni;
    if (step) begin
      next_in_grid_q <= in_grid;
      next_sample_end_q <= sample_end;
      next_y_q <= y_q;
      next_col_q <= col_q;
      next_addr_q <= IndexWidth'(row_addr_q) + IndexWidth'(col_q);
      freed_q <= !row_end ? '0 : (oy_end ? SpaceWidth'(GridRows) : rows_above(y_first_q, StrideH)) - rows_above(y_first_q, 0);
    end
  end

  assign started = ahead_q > 0 || (ahead_q == 0 && (write_row_q != '0 || write_col_q != '0));
  assign written = ahead_q > 0 || (ahead_q == 0 &&
      (next_y_q < write_row_q || (next_y_q == write_row_q && next_col_q < write_col_q)));
  assign issue   = next_valid_q && !stall && (next_in_grid_q ? written : started);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) ahead_q <= '0;
    else ahead_q <= ahead_q + AheadWidth'(push && in_last_i) - AheadWidth'(issue && next_sample_end_q);
  end

  // ---- Read into a register, as block RAM does, then the spill register whose ready is a register.
  logic read_valid_q, read_pad_q, read_last_q, spill_ready;
  logic [Payload-1:0] read_q;

  assign stall = read_valid_q && !spill_ready;

  always_ff @(posedge clk_i) if (issue) read_q <= memory[next_addr_q];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) read_valid_q <= 1'b0;
    else if (!stall) read_valid_q <= issue;
    if (!stall) begin
      read_pad_q  <= !next_in_grid_q;
      read_last_q <= next_sample_end_q;
    end
  end

  dse_spill_register #(.Width(Payload)) u_out (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(read_valid_q), .in_ready_o(spill_ready),
    .in_payload_i(read_pad_q ? PadWord : read_q), .in_last_i(read_last_q),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .out_payload_o(out_payload_o), .out_last_o(out_last_o)
  );

endmodule
