// Composed simulation: models wired by streams, every word checked, one JSON object on standard output.
#include <exception>

#include "report.hpp"
#include "simulation.hpp"

namespace {

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
    if (!plan.activity.empty()) report::write_activity(plan.activity, simulation);
    report::print(stdout, simulation);
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
