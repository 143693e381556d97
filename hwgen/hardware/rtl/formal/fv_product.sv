/// What `dse_product` has to be: the product that simulation computes.
module fv_product #(
  parameter int unsigned AWidth  = 4,
  parameter bit          ASigned = 1,
  parameter int unsigned BWidth  = 4,
  parameter bit          BSigned = 1,
  localparam int unsigned Width  = AWidth + BWidth + 1
) (
  input  logic [AWidth-1:0]       a_i,
  input  logic [BWidth-1:0]       b_i,
  output logic signed [Width-1:0] product_o
);
  assign product_o = Width'(signed'({ASigned & a_i[AWidth-1], a_i})) * Width'(signed'({BSigned & b_i[BWidth-1], b_i}));
endmodule
