// One operator of the composed simulation: its model, what it did, and whether it can change at all.
#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "activity.hpp"
#include "model.hpp"

class Stream;

struct Instance {
  std::string name;
  std::unique_ptr<Model> model;
  std::vector<Stream*> inputs, outputs, inner;  // inner: of both, those that are not to the outside world
  uint64_t busy = 0, blocked = 0, starved = 0, idle = 0, high_water = 0, clocked = 0;
  uint64_t beats_in = 0, beats_out = 0;

  bool moved = false;           // a beat on one of its streams in this cycle
  bool awake = true;            // it is clocked; what sleeps has settled, and is woken by a change of its inputs
  uint64_t* waiting = nullptr;  // the count that its last cycle without a beat went to; all that it sleeps do, too
  uint64_t asleep_since = 0;
  uint64_t still = 0;           // clocks since it last moved a beat or woke up

  void take() { ++beats_in, moved = true; }
  void give() { ++beats_out, moved = true; }

  std::unique_ptr<Activity> activity;  // null unless the plan asks for it

  void count_beats(uint64_t cycle) {
    ++busy;
    note(cycle, cycle + 1, Activity::BUSY);
    if (beats_in > beats_out) high_water = std::max(high_water, beats_in - beats_out);
  }
  // Whether this clock should tell if anything changed: to look costs time, so the looks get rarer while it computes.
  bool may_have_settled() { return ++still, (still & (still - 1)) == 0; }

  void count_wait(uint64_t* kind, uint64_t cycle) {
    ++*(waiting = kind);
    note(cycle, cycle + 1, state());
  }
  void count_sleep(uint64_t cycle) {
    *waiting += cycle - asleep_since;
    note(asleep_since, cycle, state());
  }

 private:
  void note(uint64_t from, uint64_t to, Activity::State what) {
    if (activity) activity->add(from, to, what);
  }
  Activity::State state() const {
    return waiting == &blocked ? Activity::BLOCKED : waiting == &starved ? Activity::STARVED : Activity::IDLE;
  }
};
