// When an operator was busy, blocked, starved or idle, in few enough windows to be drawn: exact counts in each.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

// Windows are powers of two cycles long. When a cycle lies behind the last window, all windows double.
class Activity {
 public:
  enum State { BUSY, BLOCKED, STARVED, IDLE };
  using Counts = std::array<uint64_t, 4>;

  // The cycles [from, to) were spent in a state.
  void add(uint64_t from, uint64_t to, State state) {
    while (to > width_ * windows_.size()) widen();
    while (from < to) {
      const uint64_t window = from / width_, end = std::min(to, (window + 1) * width_);
      windows_[window][state] += end - from;
      from = end;
    }
  }

  uint64_t width() const { return width_; }
  const std::vector<Counts>& windows() const { return windows_; }

 private:
  void widen() {
    width_ *= 2;
    const size_t half = windows_.size() / 2;
    for (size_t i = 0; i < windows_.size(); ++i)
      for (size_t state = 0; state < 4; ++state)
        windows_[i][state] = i < half ? windows_[2 * i][state] + windows_[2 * i + 1][state] : 0;
  }

  uint64_t width_ = 1;
  std::vector<Counts> windows_ = std::vector<Counts>(2048);
};
