// Composed simulation: models wired by streams, every word checked, one JSON object on standard output.
//
// A model's outputs are functions of its registers only, so within a cycle all streams are exchanged first and all
// models are clocked afterwards, in any order; that equals the simulation of the whole design in one model.
#include <algorithm>
#include <cinttypes>
#include <exception>
#include <map>
#include <memory>

#include "stream.hpp"

namespace {

struct Instance {
  std::unique_ptr<Model> model;
  std::vector<Stream*> inputs, outputs;
  uint64_t busy = 0, blocked = 0, starved = 0, high_water = 0;
};

class Simulation {
 public:
  explicit Simulation(const Plan& plan) : plan_(plan) {
    for (const auto& m : plan.models) instances_[m.name].model = std::make_unique<Model>(m.path, m.arguments);
    streams_.reserve(plan.streams.size());
    uint64_t index = 0;
    for (const auto& s : plan.streams) {
      StallPlan stalls = s.producer == "-" ? plan.input_stalls : plan.output_stalls;
      // Only the streams that the outside world drives count, so a whole design in one model meets the same stalls.
      if (s.producer == "-" || s.consumer == "-") stalls.seed += 1000003 * ++index;
      streams_.emplace_back(s, find(s.producer), find(s.consumer), stalls);
    }
    for (auto& s : streams_) {
      if (!s.external_source) instances_[s.plan.producer].outputs.push_back(&s);
      if (!s.external_sink) instances_[s.plan.consumer].inputs.push_back(&s);
    }
    if (!plan.trace.empty()) trace_.open(plan.trace);
    for (auto& [name, instance] : instances_) {
      *instance.model->port("rst_ni") = 0;
      for (int i = 0; i < 3; ++i) instance.model->clock();
      *instance.model->port("rst_ni") = 1;
      order_.push_back(&instance);
    }
  }

  void run() {
    uint64_t quiet = 0, drain = 0;
    for (cycle_ = 0; cycle_ < plan_.max_cycles; ++cycle_) {
      bool moved = false;
      for (auto& s : streams_) {
        const bool transferred = s.exchange(cycle_);
        moved |= transferred;
        if (transferred && s.external_sink && trace_.is_open()) trace(s);
      }
      if (counting_) count();
      for (auto* instance : order_) instance->model->clock();
      quiet = moved ? 0 : quiet + 1;
      if (finished()) {
        if (++drain > 64) break;  // long enough for a surplus beat to leave and be reported
        quiet = 0;
      } else if (quiet > plan_.quiet_cycles) {
        deadlock_ = true;
        break;
      }
    }
  }

  bool ok() const {
    if (!finished()) return false;
    for (const auto& s : streams_)
      if (s.mismatched_words) return false;
    return true;
  }

  void print(FILE* out) const {
    std::fprintf(out, "{\"finished\":%s,\"deadlock\":%s,\"cycles\":%" PRIu64 ",\"streams\":[", text(finished()),
                 text(deadlock_), cycle_);
    const char* comma = "";
    for (const auto& s : streams_) {
      std::fprintf(out, "%s\n{\"name\":\"%s\",\"transfers\":%" PRIu64 ",\"expected\":%" PRIu64 ",\"stalled\":%" PRIu64
                   ",\"starved\":%" PRIu64 ",\"compared_words\":%" PRIu64 ",\"mismatched_words\":%" PRIu64
                   ",\"valid\":%s,\"ready\":%s",
                   comma, s.plan.name.c_str(), s.transfers, s.has_data ? s.expected_beats() : 0, s.stalled, s.starved,
                   s.compared_words, s.mismatched_words, text(s.valid()), text(s.ready()));
      list(out, "sample_start", s.sample_start);
      list(out, "sample_end", s.sample_end);
      if (s.mismatched_words) {
        const auto& m = s.first_mismatch;
        std::fprintf(out, ",\"first_mismatch\":{\"cycle\":%" PRIu64 ",\"beat\":%" PRIu64 ",\"lane\":%" PRIu64
                     ",\"expected\":%" PRId64 ",\"seen\":%" PRId64 ",\"extra\":%s}",
                     m.cycle, m.beat, m.lane, m.expected, m.seen, text(m.extra));
      }
      std::fprintf(out, "}");
      comma = ",";
    }
    std::fprintf(out, "],\"instances\":[");
    comma = "";
    for (const auto& [name, i] : instances_) {
      std::fprintf(out, "%s\n{\"name\":\"%s\",\"busy\":%" PRIu64 ",\"blocked\":%" PRIu64 ",\"starved\":%" PRIu64
                   ",\"high_water\":%" PRIu64 "}", comma, name.c_str(), i.busy, i.blocked, i.starved, i.high_water);
      comma = ",";
    }
    std::fprintf(out, "]}\n");
  }

  const std::vector<Stream>& streams() const { return streams_; }

 private:
  Model* find(const std::string& name) {
    if (name == "-") return nullptr;
    auto it = instances_.find(name);
    if (it == instances_.end()) throw std::runtime_error("no model named " + name);
    return it->second.model.get();
  }

  bool finished() const {
    for (const auto& s : streams_)
      if ((s.external_sink || s.external_source) && !s.finished()) return false;
    return true;
  }

  // Per operator: cycles with a transfer, cycles held by its consumer, cycles waiting for a producer; most beats inside.
  void count() {
    for (auto* instance : order_) {
      bool busy = false, blocked = false, starved = false;
      uint64_t in = 0, out = 0;
      for (auto* s : instance->inputs) {
        in += s->transfers;
        busy |= s->transfers && s->last_cycle == cycle_;
        starved |= !s->valid() && s->ready();
      }
      for (auto* s : instance->outputs) {
        out += s->transfers;
        busy |= s->transfers && s->last_cycle == cycle_;
        blocked |= s->valid() && s->last_cycle != cycle_;
      }
      instance->busy += busy;
      instance->blocked += !busy && blocked;
      instance->starved += !busy && !blocked && starved;
      if (in > out && in - out > instance->high_water) instance->high_water = in - out;
    }
  }

  void trace(const Stream& s) {
    trace_ << cycle_ << ' ' << s.plan.name << ' ' << s.transfers << ' ';
    const char* digits = "0123456789abcdef";
    for (size_t i = s.plan.bytes; i-- > 0;) trace_ << digits[s.payload()[i] >> 4] << digits[s.payload()[i] & 15];
    trace_ << '\n';
  }

  static const char* text(bool value) { return value ? "true" : "false"; }
  static void list(FILE* out, const char* name, const std::vector<uint64_t>& values) {
    std::fprintf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < values.size(); ++i) std::fprintf(out, "%s%" PRIu64, i ? "," : "", values[i]);
    std::fprintf(out, "]");
  }

  Plan plan_;
  std::map<std::string, Instance> instances_;
  std::vector<Instance*> order_;
  std::vector<Stream> streams_;
  std::ofstream trace_;
  uint64_t cycle_ = 0;
  bool deadlock_ = false, counting_ = true;
};

#ifdef HEADRACE_LINKED
// The figures of a whole design in one line. A sample ends when its last beat has left on every output.
int summarise(const Simulation& simulation) {
  uint64_t compared = 0, mismatched = 0, start = UINT64_MAX;
  std::vector<uint64_t> ends;
  bool all = true;
  for (const auto& s : simulation.streams()) {
    if (s.external_source && s.first_cycle < start) start = s.first_cycle;
    if (!s.external_sink) continue;
    compared += s.compared_words;
    mismatched += s.mismatched_words;
    all = all && s.finished();
    // An output may have gone on, endlessly or into the next sample.
    const size_t samples = std::min(s.sample_end.size(), s.expected_beats() / s.plan.beats);
    if (ends.size() < samples) ends.resize(samples);
    for (size_t i = 0; i < samples; ++i) ends[i] = std::max(ends[i], s.sample_end[i]);
    if (s.mismatched_words)
      std::printf("first mismatch: stream %s beat %" PRIu64 " lane %" PRIu64 " expected %" PRId64 " seen %" PRId64 "%s\n",
                  s.plan.name.c_str(), s.first_mismatch.beat, s.first_mismatch.lane, s.first_mismatch.expected,
                  s.first_mismatch.seen, s.first_mismatch.extra ? " (surplus beat or misplaced last)" : "");
  }
  if (start == UINT64_MAX) start = 0;  // a design without inputs starts by itself
  const uint64_t latency = ends.empty() ? 0 : ends.front() - start + 1;
  const uint64_t interval = ends.size() < 2 ? 0 : ends.back() - ends[ends.size() - 2];
  const bool pass = simulation.ok() && compared;
  std::printf("%s compared=%" PRIu64 " mismatched=%" PRIu64 " latency_cycles=%" PRIu64 " interval_cycles=%" PRIu64 "%s\n",
              pass ? "PASS" : "FAIL", compared, mismatched, latency, interval,
              all ? "" : " (not every output word arrived)");
  return pass ? 0 : 1;
}
#endif

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw std::runtime_error("usage: simulate PLAN");
    const Plan plan = read_plan(argv[1]);
    for (const auto& words : plan.words) check_words(words);
    Simulation simulation(plan);
    simulation.run();
#ifdef HEADRACE_LINKED
    return summarise(simulation);
#else
    simulation.print(stdout);
    return 0;
#endif
  } catch (const std::exception& error) {
#ifdef HEADRACE_LINKED
    std::printf("FAIL %s\n", error.what());
    return 1;
#else
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
#endif
  }
}
