// What a simulation counted, as one JSON object.
#pragma once
#include <cinttypes>
#include <cstdio>

#include "simulation.hpp"

namespace report {

inline const char* text(bool value) { return value ? "true" : "false"; }

inline void list(FILE* out, const char* name, const std::vector<uint64_t>& values) {
  std::fprintf(out, ",\"%s\":[", name);
  for (size_t i = 0; i < values.size(); ++i) std::fprintf(out, "%s%" PRIu64, i ? "," : "", values[i]);
  std::fprintf(out, "]");
}

inline void print(FILE* out, const Stream& s) {
  std::fprintf(out,
               "{\"name\":\"%s\",\"transfers\":%" PRIu64 ",\"expected\":%" PRIu64 ",\"compared_words\":%" PRIu64
               ",\"mismatched_words\":%" PRIu64 ",\"timing\":\"%016" PRIx64 "\",\"valid\":%s,\"ready\":%s",
               s.plan.name.c_str(), s.transfers, s.has_data ? s.expected_beats() : 0, s.compared_words,
               s.mismatched_words, s.timing, text(s.valid()), text(s.ready()));
  list(out, "sample_start", s.sample_start);
  list(out, "sample_end", s.sample_end);
  if (s.mismatched_words) {
    const auto& m = s.first_mismatch;
    std::fprintf(out,
                 ",\"first_mismatch\":{\"cycle\":%" PRIu64 ",\"beat\":%" PRIu64 ",\"lane\":%" PRIu64
                 ",\"expected\":%" PRId64 ",\"seen\":%" PRId64 ",\"extra\":%s}",
                 m.cycle, m.beat, m.lane, m.expected, m.seen, text(m.extra));
  }
  std::fprintf(out, "}");
}

inline void print(FILE* out, const Instance& i) {
  std::fprintf(out,
               "{\"name\":\"%s\",\"busy\":%" PRIu64 ",\"blocked\":%" PRIu64 ",\"starved\":%" PRIu64
               ",\"high_water\":%" PRIu64 ",\"clocked\":%" PRIu64 "}",
               i.name.c_str(), i.busy, i.blocked, i.starved, i.high_water, i.clocked);
}

inline void print(FILE* out, const Activity& activity) {
  std::fprintf(out, "{\"cycles_per_window\":%" PRIu64 ",\"windows\":[", activity.width());
  const char* comma = "";
  for (const auto& c : activity.windows()) {
    std::fprintf(out, "%s[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", comma, c[Activity::BUSY],
                 c[Activity::BLOCKED], c[Activity::STARVED], c[Activity::IDLE]);
    comma = ",";
  }
  std::fprintf(out, "]}");
}

// Writes what each operator did when; the simulation must have been asked for it.
inline void write_activity(const std::string& path, const Simulation& simulation) {
  FILE* out = std::fopen(path.c_str(), "w");
  if (!out) throw std::runtime_error("cannot write " + path);
  const char* comma = "{\n";
  for (const auto& [name, instance] : simulation.instances()) {
    std::fprintf(out, "%s\"%s\":", comma, name.c_str());
    print(out, *instance.activity);
    comma = ",\n";
  }
  std::fprintf(out, "}\n");
  if (std::fclose(out)) throw std::runtime_error("cannot write " + path);
}

inline void print(FILE* out, const Simulation& simulation) {
  std::fprintf(out, "{\"finished\":%s,\"deadlock\":%s,\"cycles\":%" PRIu64 ",\"streams\":[", text(simulation.finished()),
               text(simulation.deadlock()), simulation.cycles());
  const char* comma = "\n";
  for (const auto& s : simulation.streams()) {
    std::fputs(comma, out);
    print(out, s);
    comma = ",\n";
  }
  std::fprintf(out, "],\"instances\":[");
  comma = "\n";
  for (const auto& [name, instance] : simulation.instances()) {
    std::fputs(comma, out);
    print(out, instance);
    comma = ",\n";
  }
  std::fprintf(out, "]}\n");
}

}  // namespace report
