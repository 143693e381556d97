// One stream of the composed simulation: moves the handshake between two models, checks words, and counts.
#pragma once
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "instance.hpp"
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
  Instance *const producer, *const consumer;  // null: the outside world
  uint64_t transfers = 0, mismatched_words = 0, compared_words = 0;
  uint64_t first_cycle = 0;
  uint64_t timing = 0xCBF29CE484222325ull;  // FNV hash over the cycles of all transfers
  uint64_t seen_cycle = UINT64_MAX;  // of the last exchange
  std::vector<uint64_t> sample_start, sample_end;  // cycles of the first and last beat of each sample
  Mismatch first_mismatch;
  std::vector<uint8_t> data;  // stimulus or expected beats
  bool has_data = false;

  Stream(const StreamPlan& p, Instance* from, Instance* to, const StallPlan& stalls)
      : plan(p), producer(from), consumer(to), external_source(!from), external_sink(!to), stalls_(stalls) {
    if (producer) {
      Model& model = *producer->model;
      out_valid_ = model.port(p.out_prefix + "_valid_o");
      out_ready_ = model.port(p.out_prefix + "_ready_i");
      out_payload_ = model.port(p.out_prefix + "_payload_o");
      out_last_ = model.port(p.out_prefix + "_last_o");
    }
    if (consumer) {
      Model& model = *consumer->model;
      in_valid_ = model.port(p.in_prefix + "_valid_i");
      in_ready_ = model.port(p.in_prefix + "_ready_o");
      in_payload_ = model.port(p.in_prefix + "_payload_i");
      in_last_ = model.port(p.in_prefix + "_last_i");
    }
    if (p.file != "-") {
      data = read_beats(p.file, p.bytes);
      has_data = true;
      expected_beats_ = data.size() / p.bytes;
    }
    if (external_source && !has_data) throw std::runtime_error("stream " + p.name + " has no stimulus");
  }

  bool external_source, external_sink;
  uint64_t expected_beats() const { return expected_beats_; }
  bool finished() const { return transfers >= expected_beats_; }

  // What an exchange did: moved a beat, changed what the consumer or the producer sees.
  struct Exchange {
    bool moved, consumer_sees, producer_sees;
  };

  // Carries the outputs of the last cycle to the inputs of this one.
  Exchange exchange(uint64_t cycle) {
    Exchange done{};
    seen_cycle = cycle;
    bool valid, last;
    const uint8_t* payload;
    if (external_source) {
      if (!offered_) offered_ = !finished() && !stalls_.hold();
      valid = offered_;
      payload = valid ? data.data() + transfers * plan.bytes : nullptr;
      last = valid && position_ + 1 == plan.beats;
    } else {
      valid = *out_valid_ & 1;
      payload = out_payload_;
      last = *out_last_ & 1;
    }
    const bool ready = external_sink ? !stalls_.hold() : (*in_ready_ & 1);
    if (!external_sink) done.consumer_sees = show(valid, last, payload);
    if (!external_source && *out_ready_ != ready) {
      *out_ready_ = ready;
      done.producer_sees = true;
    }
    if (valid && ready) {
      transfer(cycle, payload, last);
      done.moved = true;
    }
    return done;
  }

  const uint8_t* payload() const { return out_payload_; }
  bool valid() const { return external_source ? offered_ : (*out_valid_ & 1); }
  bool ready() const { return external_sink ? true : (*in_ready_ & 1); }

 private:
  // Puts a beat before the consumer; whether a consumer that sleeps has to be woken for it.
  bool show(bool valid, bool last, const uint8_t* payload) {
    const bool same = !consumer->awake && *in_valid_ == valid &&
                      (!valid || (*in_last_ == last && std::memcmp(in_payload_, payload, plan.bytes) == 0));
    if (same) return false;
    *in_valid_ = valid;
    if (valid) {
      std::memcpy(in_payload_, payload, plan.bytes);
      *in_last_ = last;
    }
    return true;
  }

  void transfer(uint64_t cycle, const uint8_t* payload, bool last) {
    if (transfers == 0) first_cycle = cycle;
    timing = (timing ^ cycle) * 0x100000001B3ull;
    const bool ends = position_ + 1 == plan.beats;
    if (position_ == 0) sample_start.push_back(cycle);
    if (ends) sample_end.push_back(cycle);
    if (plan.check) compare(cycle, payload, last, ends);
    ++transfers;
    position_ = ends ? 0 : position_ + 1;
    offered_ = false;
    if (producer) producer->give();
    if (consumer) consumer->take();
  }

  void compare(uint64_t cycle, const uint8_t* payload, bool last, bool expected_last) {
    const bool surplus = finished() && plan.check != 2;
    const bool misplaced = surplus && !(plan.check == 3 && begins_every_sample(transfers % plan.beats));
    if (misplaced || last != expected_last) {
      report({cycle, transfers, 0, expected_last, last, true});
      if (misplaced) return;
    }
    const uint64_t beat = transfers < expected_beats_ ? transfers : transfers % expected_beats_;
    const uint8_t* expected = data.data() + beat * plan.bytes;
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
  uint64_t position_ = 0;  // of the next beat in its sample
  uint64_t expected_beats_ = 0;
  bool offered_ = false;
  uint8_t *out_valid_ = nullptr, *out_ready_ = nullptr, *out_payload_ = nullptr, *out_last_ = nullptr;
  uint8_t *in_valid_ = nullptr, *in_ready_ = nullptr, *in_payload_ = nullptr, *in_last_ = nullptr;
};
