// One stream of the composed simulation: moves the handshake between two models, checks words, and counts.
#pragma once
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "model.hpp"
#include "plan.hpp"
#include "vectors.hpp"

// Decides, cycle by cycle, whether the outside world holds back: never, at random, or in long stretches.
class Stalls {
 public:
  explicit Stalls(const StallPlan& plan) : mode_(plan.mode), state_(plan.seed * 2 + 0x9E3779B97F4A7C15ull) {
    if (mode_ != "none" && mode_ != "random" && mode_ != "stalls")
      throw std::runtime_error("unknown stall pattern " + mode_);
  }
  bool hold() {
    if (mode_ == "none") return false;
    if (mode_ == "random") return next() & 1;
    if (left_ == 0) {
      holding_ = !holding_;
      left_ = 1 + next() % (holding_ ? 200 : 100);
    }
    --left_;
    return holding_;
  }

 private:
  uint64_t next() {  // xorshift64*: equal on every machine
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return (state_ * 0x2545F4914F6CDD1Dull) >> 32;
  }
  std::string mode_;
  uint64_t state_, left_ = 0;
  bool holding_ = true;
};

struct Mismatch {
  uint64_t cycle = 0, beat = 0, lane = 0;
  int64_t expected = 0, seen = 0;
  bool extra = false;  // a beat after the last expected one, or a misplaced `last`
};

class Stream {
 public:
  StreamPlan plan;
  uint64_t transfers = 0, stalled = 0, starved = 0, mismatched_words = 0, compared_words = 0;
  uint64_t first_cycle = 0, last_cycle = 0;
  std::vector<uint64_t> sample_start, sample_end;  // cycles of the first and last beat of each sample
  Mismatch first_mismatch;
  std::vector<uint8_t> data;  // stimulus or expected beats
  bool has_data = false;

  Stream(const StreamPlan& p, Model* producer, Model* consumer, const StallPlan& stalls)
      : plan(p), external_source(!producer), external_sink(!consumer), stalls_(stalls) {
    if (producer) {
      out_valid_ = producer->port(p.out_prefix + "_valid_o");
      out_ready_ = producer->port(p.out_prefix + "_ready_i");
      out_payload_ = producer->port(p.out_prefix + "_payload_o");
      out_last_ = producer->port(p.out_prefix + "_last_o");
    }
    if (consumer) {
      in_valid_ = consumer->port(p.in_prefix + "_valid_i");
      in_ready_ = consumer->port(p.in_prefix + "_ready_o");
      in_payload_ = consumer->port(p.in_prefix + "_payload_i");
      in_last_ = consumer->port(p.in_prefix + "_last_i");
    }
    if (p.file != "-") {
      data = read_beats(p.file, p.bytes);
      has_data = true;
    }
    if (external_source && !has_data) throw std::runtime_error("stream " + p.name + " has no stimulus");
  }

  bool external_source, external_sink;
  uint64_t expected_beats() const { return data.size() / plan.bytes; }
  bool finished() const { return transfers >= expected_beats(); }

  // Carries the outputs of the last cycle to the inputs of this one. Returns whether a beat is transferred.
  bool exchange(uint64_t cycle) {
    bool valid, last;
    const uint8_t* payload;
    if (external_source) {
      if (!offered_) offered_ = !finished() && !stalls_.hold();
      valid = offered_;
      payload = valid ? data.data() + transfers * plan.bytes : nullptr;
      last = valid && (transfers + 1) % plan.beats == 0;
    } else {
      valid = *out_valid_ & 1;
      payload = out_payload_;
      last = *out_last_ & 1;
    }
    const bool ready = external_sink ? !stalls_.hold() : (*in_ready_ & 1);
    if (!external_sink) {
      *in_valid_ = valid;
      if (valid) {
        std::memcpy(in_payload_, payload, plan.bytes);
        *in_last_ = last;
      }
    }
    if (!external_source) *out_ready_ = ready;
    if (valid && ready) {
      transfer(cycle, payload, last);
      return true;
    }
    stalled += valid;
    starved += ready;
    return false;
  }

  const uint8_t* payload() const { return out_payload_; }
  bool valid() const { return external_source ? offered_ : (*out_valid_ & 1); }
  bool ready() const { return external_sink ? true : (*in_ready_ & 1); }

 private:
  void transfer(uint64_t cycle, const uint8_t* payload, bool last) {
    if (transfers == 0) first_cycle = cycle;
    last_cycle = cycle;
    const uint64_t within = transfers % plan.beats;
    if (within == 0) sample_start.push_back(cycle);
    if (within + 1 == plan.beats) sample_end.push_back(cycle);
    if (plan.check) compare(cycle, payload, last, within + 1 == plan.beats);
    ++transfers;
    offered_ = false;
  }

  void compare(uint64_t cycle, const uint8_t* payload, bool last, bool expected_last) {
    const bool surplus = finished() && plan.check != 2;
    const bool misplaced = surplus && !(plan.check == 3 && begins_every_sample(transfers % plan.beats));
    if (misplaced || last != expected_last) {
      report({cycle, transfers, 0, expected_last, last, true});
      if (misplaced) return;
    }
    const uint8_t* expected = data.data() + transfers % expected_beats() * plan.bytes;
    if (!surplus) compared_words += plan.lanes;
    if (std::memcmp(payload, expected, plan.bytes) == 0) return;
    bool lane_differs = false;
    for (size_t lane = 0; lane < plan.lanes; ++lane) {
      const int64_t want = word(expected, lane), seen = word(payload, lane);
      if (want == seen) continue;
      lane_differs = true;
      report({cycle, transfers, lane, want, seen, false});
    }
    // The elements agree, so a shared exponent (above the lanes) does not.
    if (!lane_differs) report({cycle, transfers, plan.lanes, 0, 0, false});
  }

  // Whether beat `within` is the same in every sample, as one that no input has a part in must be.
  bool begins_every_sample(uint64_t within) const {
    const uint8_t* first = data.data() + within * plan.bytes;
    for (uint64_t beat = within; beat < expected_beats(); beat += plan.beats)
      if (std::memcmp(first, data.data() + beat * plan.bytes, plan.bytes) != 0) return false;
    return true;
  }

  void report(const Mismatch& mismatch) {
    if (mismatched_words++ == 0) first_mismatch = mismatch;
  }

  int64_t word(const uint8_t* beat, size_t lane) const {
    int64_t value = 0;
    for (size_t bit = 0; bit < plan.bits; ++bit) {
      const size_t at = lane * plan.bits + bit;
      value |= static_cast<int64_t>((beat[at / 8] >> (at % 8)) & 1) << bit;
    }
    return value;
  }

  Stalls stalls_;
  bool offered_ = false;
  uint8_t *out_valid_ = nullptr, *out_ready_ = nullptr, *out_payload_ = nullptr, *out_last_ = nullptr;
  uint8_t *in_valid_ = nullptr, *in_ready_ = nullptr, *in_payload_ = nullptr, *in_last_ = nullptr;
};
