// The simulation plan: a line-based text that names models, streams and files. hwgen/simulation/simulate.py writes it.
//
//   limits <max_cycles> <quiet_cycles>      stop after so many cycles, or after so many without any transfer
//   output_stalls <none|random|stalls> <seed>
//   input_stalls <none|random|stalls> <seed>
//   sleep <never|registers|memories>        optional: what must settle before a model is no longer clocked
//   trace <file>                            optional: cycle, stream and payload of every output transfer
//   activity <file>                         optional: what each model did when, in windows of time, as JSON
//   model <name> <shared object> <argument>...
//   stream <name> <producer> <prefix> <consumer> <prefix> <bytes> <beats> <lanes> <bits> <check> <file>
//   words <beats file> <bytes> <words .npy> <lanes> <bits> <exponents .npy or -> <per beat> <bits>
//
// Producer or consumer `-` is the outside world. `bytes` is the container of a beat, `beats` counts those of one
// sample, `file` holds the beats of all samples (stimulus or expected words; `-` for none): a `.mem` text with one
// hexadecimal beat a line, or else raw containers. A `words` line demands that two vector files tell the same.
//
// `check` is 0 to count only, 1 to compare every word and demand that no more beats come, 2 to compare a stream that
// repeats the file for ever (a constant) as far as it is read, 3 to compare every word where a constant comes first in a
// sample: after the last one, beats may come with which every sample begins, whatever its inputs.
#pragma once
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

struct ModelPlan {
  std::string name, path;
  std::vector<std::string> arguments;
};

struct StreamPlan {
  std::string name, producer, out_prefix, consumer, in_prefix;
  size_t bytes = 0, beats = 0, lanes = 0, bits = 0;
  int check = 0;
  std::string file;
};

struct WordsPlan {
  std::string beats, words, exponents;
  size_t bytes = 0, lanes = 0, bits = 0, exponents_per_beat = 0, exponent_bits = 0;
};

struct StallPlan {
  std::string mode = "none";
  uint64_t seed = 0;
};

struct Plan {
  uint64_t max_cycles = 0, quiet_cycles = 0;
  StallPlan output_stalls, input_stalls;
  std::string trace, activity, sleep = "registers";
  std::vector<ModelPlan> models;
  std::vector<StreamPlan> streams;
  std::vector<WordsPlan> words;
};

inline Plan read_plan(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read the plan " + path);
  Plan plan;
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string keyword;
    if (!(words >> keyword)) continue;
    if (keyword == "limits") {
      words >> plan.max_cycles >> plan.quiet_cycles;
    } else if (keyword == "output_stalls") {
      words >> plan.output_stalls.mode >> plan.output_stalls.seed;
    } else if (keyword == "input_stalls") {
      words >> plan.input_stalls.mode >> plan.input_stalls.seed;
    } else if (keyword == "sleep") {
      words >> plan.sleep;
    } else if (keyword == "trace") {
      words >> plan.trace;
    } else if (keyword == "activity") {
      words >> plan.activity;
    } else if (keyword == "model") {
      ModelPlan model;
      words >> model.name >> model.path;
      for (std::string argument; words >> argument;) model.arguments.push_back(argument);
      plan.models.push_back(model);
      words.clear();
    } else if (keyword == "stream") {
      StreamPlan s;
      words >> s.name >> s.producer >> s.out_prefix >> s.consumer >> s.in_prefix >> s.bytes >> s.beats >> s.lanes >>
          s.bits >> s.check >> s.file;
      plan.streams.push_back(s);
    } else if (keyword == "words") {
      WordsPlan w;
      words >> w.beats >> w.bytes >> w.words >> w.lanes >> w.bits >> w.exponents >> w.exponents_per_beat >>
          w.exponent_bits;
      plan.words.push_back(w);
    } else {
      throw std::runtime_error("unknown plan line: " + line);
    }
    if (words.fail()) throw std::runtime_error("bad plan line: " + line);
  }
  return plan;
}
