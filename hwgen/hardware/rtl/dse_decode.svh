// Decoding of stored elements in front of arithmetic, as hwgen.numbers.formats.elements: everything behind is an integer.
//   Code 0   the element is the integer, two's complement or unsigned
//   Code e   minifloat: a sign, e exponent bits, mantissa bits in the rest, with subnormals; the integer counts the
//            smallest of them, in two's complement. No code stands for an infinity or NaN.

// Bits of the integer that an element decodes to.
`define DSE_DECODED_WIDTH(Width, Code) ((Code) == 0 ? (Width) : (Width) - (Code) + (1 << (Code)) - 1)

// Defines the function `Name` from an element to its integer; the identity for Code 0.
`define DSE_DECODE(Name, Width, Code) \
  function automatic logic [`DSE_DECODED_WIDTH(Width, Code)-1:0] Name(input logic [Width-1:0] element); \
    localparam int unsigned Mantissa = Width - 1 - Code; \
    localparam int unsigned Decoded  = `DSE_DECODED_WIDTH(Width, Code); \
    logic [31:0] exponent; \
    logic [Decoded-1:0] magnitude; \
    if (Code == 0) return Decoded'(element); \
    exponent  = (32'(element) >> Mantissa) & ((1 << Code) - 1); \
    magnitude = Decoded'(32'(element) & ((1 << Mantissa) - 1)); \
    if (exponent != 0) magnitude = (magnitude | Decoded'(1 << Mantissa)) << (exponent - 1); \
    return element[Width-1] ? -magnitude : magnitude; \
  endfunction
