// A 64 x 64 matrix-vector product of bytes as a plain loop: what the machine could do. Prints multiply-accumulates
// per CPU second.
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <vector>

int main() {
  constexpr int lanes = 64, depth = 16, rounds = 100000;
  std::vector<int8_t> weights(depth * lanes * lanes), x(lanes * depth);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<int8_t>(i * 7);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int8_t>(i * 5);
  int32_t acc[lanes] = {};
  const std::clock_t start = std::clock();
  for (int round = 0; round < rounds; ++round) {
    const int8_t* w = &weights[(round % depth) * lanes * lanes];
    const int8_t* v = &x[(round % depth) * lanes];
    for (int o = 0; o < lanes; ++o) {
      int32_t sum = 0;
      for (int i = 0; i < lanes; ++i) sum += w[o * lanes + i] * v[i];
      acc[o] += sum;
    }
  }
  const std::clock_t spent = std::clock() - start;
  volatile int32_t sink = acc[7];
  (void)sink;
  std::printf("%f\n", static_cast<double>(rounds) * lanes * lanes * CLOCKS_PER_SEC / static_cast<double>(spent));
}
