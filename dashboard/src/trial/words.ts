/** Names of hardware modules as people call what they do. */

const MODULES: Record<string, string> = {
  dse_adapter: "lane adapter",
  dse_cast: "format cast",
  dse_concat: "concatenate",
  dse_constant: "constant",
  dse_eltwise: "elementwise",
  dse_embedding: "embedding",
  dse_fifo: "buffer",
  dse_fork2: "fork in 2",
  dse_fork3: "fork in 3",
  dse_layer_norm: "layer norm",
  dse_link: "link",
  dse_matmul: "matrix × matrix",
  dse_matvec: "matrix × vector",
  dse_pad: "padding",
  dse_permute: "permute",
  dse_reduce: "reduce",
  dse_repeat: "repeat",
  dse_rms_norm: "RMS norm",
  dse_slice: "slice",
  dse_softmax: "softmax",
  dse_table: "table",
  dse_to_mx: "to block format",
  dse_window: "window",
};

/** What a module does; one of a later service goes by its own name. */
export function moduleWords(module: string): string {
  return MODULES[module] ?? module.replace(/^dse_/, "").replaceAll("_", " ");
}

const MOVERS = /^dse_(adapter|cast|fifo|fork\d*|link|constant|repeat|slice|to_mx)$/;

/** Whether a module only moves, keeps or recodes words. */
export function moves(module: string): boolean {
  return MOVERS.test(module);
}
