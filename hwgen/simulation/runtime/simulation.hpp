// The models of a plan, wired and clocked.
//
// A model's outputs are functions of its registers only, so within a cycle all streams are exchanged first and all
// models are clocked afterwards, in any order; that equals the simulation of the whole design in one model.
//
// A model that moved no beat and whose registers a clock left as they were would be left so by the next clock too, until
// its inputs change. It sleeps until then: it is not clocked, the streams between sleepers are not looked at, and its
// cycles count as its last one did. Words, cycles and counts are those of the simulation that clocks every model.
#pragma once
#include <deque>
#include <map>
#include <utility>

#include "stream.hpp"

class Simulation {
 public:
  explicit Simulation(const Plan& plan)
      : plan_(plan), sleeps_(plan.sleep != "never"), memories_(plan.sleep == "memories") {
    if (sleeps_ && !memories_ && plan.sleep != "registers")
      throw std::runtime_error("unknown kind of sleep " + plan.sleep);
    for (const auto& m : plan.models) {
      instances_[m.name].name = m.name;
      instances_[m.name].model = std::make_unique<Model>(m.path, m.arguments);
      if (!plan.activity.empty()) instances_[m.name].activity = std::make_unique<Activity>();
    }
    uint64_t index = 0;
    for (const auto& s : plan.streams) {
      StallPlan stalls = s.producer == "-" ? plan.input_stalls : plan.output_stalls;
      // Only the streams that the outside world drives count, so a whole design in one model meets the same stalls.
      if (s.producer == "-" || s.consumer == "-") stalls.seed += 1000003 * ++index;
      connect(streams_.emplace_back(s, find(s.producer), find(s.consumer), stalls));
    }
    if (!plan.trace.empty()) trace_.open(plan.trace);
    for (auto& [name, instance] : instances_) {
      *instance.model->port("rst_ni") = 0;
      for (int i = 0; i < 3; ++i) instance.model->clock();
      *instance.model->port("rst_ni") = 1;
      awake_.push_back(&instance);
    }
  }

  void run() {
    uint64_t quiet = 0, drain = 0;
    for (cycle_ = 0; cycle_ < plan_.max_cycles; ++cycle_) {
      const bool moved = exchange();
      for (auto* instance : awake_) count(*instance);
      clock();
      quiet = moved ? 0 : quiet + 1;
      if (finished()) {
        if (++drain > 64) break;  // long enough for a surplus beat to leave and be reported
        quiet = 0;
      } else if (quiet > plan_.quiet_cycles) {
        deadlock_ = true;
        break;
      }
    }
    const uint64_t end = std::min(cycle_ + 1, plan_.max_cycles);
    for (auto& [name, instance] : instances_)
      if (!instance.awake) instance.count_sleep(end);
  }

  bool finished() const {
    return std::all_of(outside_.begin(), outside_.end(), [](const Stream* s) { return s->finished(); });
  }
  bool ok() const {
    return finished() && std::none_of(streams_.begin(), streams_.end(), [](const Stream& s) { return s.mismatched_words; });
  }
  bool deadlock() const { return deadlock_; }
  uint64_t cycles() const { return cycle_; }
  const std::deque<Stream>& streams() const { return streams_; }
  const std::map<std::string, Instance>& instances() const { return instances_; }

 private:
  Instance* find(const std::string& name) {
    if (name == "-") return nullptr;
    auto it = instances_.find(name);
    if (it == instances_.end()) throw std::runtime_error("no model named " + name);
    return &it->second;
  }

  void connect(Stream& s) {
    if (s.producer) s.producer->outputs.push_back(&s);
    if (s.consumer) s.consumer->inputs.push_back(&s);
    if (s.external_source || s.external_sink) {
      outside_.push_back(&s);
    } else {
      s.producer->inner.push_back(&s);
      s.consumer->inner.push_back(&s);
    }
  }

  // All streams that can have changed: those of models that were clocked, and those that the outside world drives.
  bool exchange() {
    bool moved = false;
    for (auto* s : outside_) {
      const bool transferred = exchange(*s);
      moved |= transferred;
      if (transferred && s->external_sink && trace_.is_open()) trace(*s);
    }
    // What wakes here has not been clocked, so its other streams are as they were.
    for (size_t i = 0, clocked = awake_.size(); i < clocked; ++i)
      for (auto* s : awake_[i]->inner)
        if (s->seen_cycle != cycle_) moved |= exchange(*s);
    return moved;
  }

  bool exchange(Stream& s) {
    const Stream::Exchange done = s.exchange(cycle_);
    if (done.consumer_sees && !s.consumer->awake) wake(*s.consumer);
    if (done.producer_sees && !s.producer->awake) wake(*s.producer);
    return done.moved;
  }

  void wake(Instance& instance) {
    instance.count_sleep(cycle_);
    instance.awake = true;
    instance.still = 0;
    awake_.push_back(&instance);
  }

  // Per operator: cycles with a transfer, cycles held by its consumer, cycles waiting for a producer; most beats inside.
  void count(Instance& instance) const {
    if (instance.moved) return instance.count_beats(cycle_);
    const auto held = [](const Stream* s) { return s->valid(); };
    const auto missing = [](const Stream* s) { return !s->valid() && s->ready(); };
    const auto any = [](const std::vector<Stream*>& streams, auto is) {
      return std::any_of(streams.begin(), streams.end(), is);
    };
    instance.count_wait(any(instance.outputs, held)     ? &instance.blocked
                        : any(instance.inputs, missing) ? &instance.starved
                                                        : &instance.idle,
                        cycle_);
  }

  void clock() {
    size_t kept = 0;
    for (auto* instance : awake_) {
      ++instance->clocked;
      if (settles(*instance)) {
        instance->awake = false;
        instance->asleep_since = cycle_ + 1;
      } else {
        awake_[kept++] = instance;
      }
    }
    awake_.resize(kept);
  }

  // Clocks an operator; whether it can sleep from now on.
  bool settles(Instance& instance) {
    const bool moved = std::exchange(instance.moved, false);
    if (moved) instance.still = 0;
    if (!moved && sleeps_ && instance.may_have_settled())
      return instance.model->clock_settles(memories_);
    instance.model->clock();
    return false;
  }

  void trace(const Stream& s) {
    trace_ << cycle_ << ' ' << s.plan.name << ' ' << s.transfers << ' ';
    const char* digits = "0123456789abcdef";
    for (size_t i = s.plan.bytes; i-- > 0;) trace_ << digits[s.payload()[i] >> 4] << digits[s.payload()[i] & 15];
    trace_ << '\n';
  }

  const Plan plan_;
  const bool sleeps_, memories_;
  std::map<std::string, Instance> instances_;
  std::deque<Stream> streams_;
  std::vector<Instance*> awake_;
  std::vector<Stream*> outside_;
  std::ofstream trace_;
  uint64_t cycle_ = 0;
  bool deadlock_ = false;
};
