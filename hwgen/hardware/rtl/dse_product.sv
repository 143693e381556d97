/// Exact product of two elements, for synthesis: the cheapest form that its widths allow.
///
/// A factor of one bit is a gate. Narrow factors are a table of constants: a LUT for every 64 entries of a result bit,
/// where an array of adders would need several times as many. Wide ones are left to the DSP slices.
module dse_product #(
  parameter int unsigned AWidth  = 4,  // bits of a, >= 1
  parameter bit          ASigned = 1,
  parameter int unsigned BWidth  = 4,  // bits of b, >= 1
  parameter bit          BSigned = 1,
  localparam int unsigned Width  = AWidth + BWidth + 1
) (
  input  logic [AWidth-1:0]       a_i,
  input  logic [BWidth-1:0]       b_i,
  output logic signed [Width-1:0] product_o
);

  localparam int unsigned TableWidth = 8;  // widest index of a table

  localparam int unsigned Entries = AWidth + BWidth <= TableWidth ? 1 << (AWidth + BWidth) : 1;
  typedef logic [Entries-1:0] truth_t;

  /// Truth table of one bit of the product over {b, a}.
  function automatic truth_t truth(input int unsigned bit_index);
    truth_t result;
    for (int unsigned entry = 0; entry < Entries; entry++) begin
      automatic logic [AWidth-1:0] x = AWidth'(entry);
      automatic logic [BWidth-1:0] y = BWidth'(entry >> AWidth);
      automatic logic signed [Width-1:0] value =
          Width'(signed'({ASigned & x[AWidth-1], x})) * Width'(signed'({BSigned & y[BWidth-1], y}));
      result[entry] = value[bit_index];
    end
    return result;
  endfunction

  logic signed [Width-1:0] a, b;
  assign a = Width'(signed'({ASigned & a_i[AWidth-1], a_i}));
  assign b = Width'(signed'({BSigned & b_i[BWidth-1], b_i}));

  if (AWidth == 1) begin : gen_gate_a
    assign product_o = !a_i[0] ? '0 : ASigned ? -b : b;
  end else if (BWidth == 1) begin : gen_gate_b
    assign product_o = !b_i[0] ? '0 : BSigned ? -a : a;
  end else if (AWidth + BWidth <= TableWidth) begin : gen_table
    for (genvar k = 0; k < Width; k++) begin : gen_bit
      localparam truth_t Truth = truth(k);
      assign product_o[k] = Truth[{b_i, a_i}];
    end
  end else begin : gen_multiplier
    assign product_o = a * b;
  end

endmodule
