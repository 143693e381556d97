// Vector files: the beats of a stream as a `.mem` text or as raw containers, and its words as `.npy`.
//
// A `.mem` file has one hexadecimal beat a line, most significant digit first, as $readmemh reads it.
#pragma once
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "plan.hpp"

inline bool ends_with(const std::string& text, const std::string& tail) {
  return text.size() >= tail.size() && text.compare(text.size() - tail.size(), tail.size(), tail) == 0;
}

inline std::vector<uint8_t> read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  std::vector<uint8_t> bytes(in ? static_cast<size_t>(in.tellg()) : 0);
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!in) throw std::runtime_error("cannot read " + path);
  return bytes;
}

// Beats of `bytes` each, little-endian, zero padded.
inline std::vector<uint8_t> read_beats(const std::string& path, size_t bytes) {
  if (!ends_with(path, ".mem")) return read_bytes(path);
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::vector<uint8_t> beats;
  std::string line;
  while (in >> line) {
    const size_t start = beats.size();
    beats.resize(start + bytes, 0);
    for (size_t digit = 0; digit < line.size(); ++digit) {
      const char c = line[line.size() - 1 - digit];
      const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (value < 0 || digit / 2 >= bytes) throw std::runtime_error("bad beat " + line + " in " + path);
      beats[start + digit / 2] |= static_cast<uint8_t>(value << (digit % 2 * 4));
    }
  }
  return beats;
}

// The integers of a C-ordered little-endian signed integer array.
inline std::vector<int64_t> read_npy(const std::string& path) {
  const std::vector<uint8_t> raw = read_bytes(path);
  if (raw.size() < 10 || std::memcmp(raw.data(), "\x93NUMPY\x01\x00", 8) != 0)
    throw std::runtime_error(path + " is no version 1 .npy file");
  const size_t start = 10 + raw[8] + 256u * raw[9];
  if (start > raw.size()) throw std::runtime_error(path + " is cut short");
  const std::string header(raw.begin() + 10, raw.begin() + static_cast<long>(start));
  const size_t at = header.find("'<i");
  if (at == std::string::npos || header.find("'fortran_order': False") == std::string::npos)
    throw std::runtime_error(path + " does not hold C-ordered little-endian signed integers");
  const size_t size = static_cast<size_t>(header[at + 3] - '0');
  if ((size != 1 && size != 2 && size != 4 && size != 8) || (raw.size() - start) % size)
    throw std::runtime_error(path + " has a bad item size");
  std::vector<int64_t> values;
  for (size_t i = start; i < raw.size(); i += size) {
    uint64_t value = 0;
    for (size_t b = 0; b < size; ++b) value |= static_cast<uint64_t>(raw[i + b]) << (8 * b);
    const unsigned unused = 64 - 8 * static_cast<unsigned>(size);
    values.push_back(static_cast<int64_t>(value << unused) >> unused);
  }
  return values;
}

// The two files of a stream must tell the same: the simulator reads the beats, a user most likely the words.
inline void check_words(const WordsPlan& plan) {
  const std::vector<uint8_t> beats = read_beats(plan.beats, plan.bytes);
  std::vector<uint8_t> packed(beats.size(), 0);
  const size_t count = beats.size() / plan.bytes;
  auto pack = [&](const std::string& path, size_t per_beat, size_t bits, size_t offset) {
    const std::vector<int64_t> values = read_npy(path);
    if (values.size() != count * per_beat) throw std::runtime_error(path + " and " + plan.beats + " differ in length");
    for (size_t i = 0; i < values.size(); ++i)
      for (size_t bit = 0; bit < bits; ++bit) {
        const size_t position = offset + i % per_beat * bits + bit;
        const auto value = static_cast<uint8_t>((values[i] >> bit) & 1);
        packed[i / per_beat * plan.bytes + position / 8] |= static_cast<uint8_t>(value << (position % 8));
      }
  };
  pack(plan.words, plan.lanes, plan.bits, 0);
  if (plan.exponents != "-") pack(plan.exponents, plan.exponents_per_beat, plan.exponent_bits, plan.lanes * plan.bits);
  if (packed != beats) throw std::runtime_error(plan.words + " and " + plan.beats + " differ");
}
