// Loading of constant memories. In a whole design the file is a parameter. A separately compiled operator leaves the
// parameter empty and takes the file from its run-time arguments, so that one compiled operator serves every content.
`define DSE_LOAD_MEMORY(Memory, FileParameter, Tag) \
`ifdef SYNTHESIS \
  initial $readmemh(FileParameter, Memory); \
`else \
  initial begin : gen_load_``Memory \
    string file; \
    file = FileParameter; \
    if (file == "" && !$value$plusargs({Tag, "=%s"}, file)) file = ""; \
    if (file != "") $readmemh(file, Memory); \
  end \
`endif


// A read through a registered address in simulation, through a registered word in synthesis.
`ifdef SYNTHESIS
`define DSE_READ(Simulated, Synthesized) Synthesized
`else
`define DSE_READ(Simulated, Synthesized) Simulated
`endif
