// Clocks the model of naive_matvec.sv and prints multiply-accumulates per CPU second.
#include <cstdint>
#include <cstdio>
#include <ctime>

#include "Vnaive.h"

int main() {
  VerilatedContext context;
  Vnaive top(&context);
  top.rst_ni = 1;
  const int cycles = 300000;
  const std::clock_t start = std::clock();
  for (int i = 0; i < cycles; ++i) {
    top.in_payload_i[i & 3] = static_cast<uint32_t>(i) * 2654435761u;
    top.clk_i = 1;
    top.eval();
    top.clk_i = 0;
    top.eval();
  }
  std::printf("%f\n", cycles * 256.0 * CLOCKS_PER_SEC / static_cast<double>(std::clock() - start));
}
