"""A design as SystemVerilog text, and the signature that describes its ports."""
