// A simulated model behind a C interface: either one operator from a shared object, or a whole design linked in.
#pragma once
#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

// What every compiled model exports; `wrapper.cpp` implements it for the Verilated class of the model.
extern "C" {
using headrace_create_t = void* (*)(int argc, const char** argv);
using headrace_destroy_t = void (*)(void* model);
using headrace_clock_t = void (*)(void* model);                     // one clock cycle
// One clock cycle; non-zero when it left every register as it was (with `arrays`, every memory too).
using headrace_clock_settles_t = int (*)(void* model, int arrays);
using headrace_port_t = void* (*)(void* model, const char* name);   // storage of a port, null if there is none
}

struct ModelCode {
  headrace_create_t create = nullptr;
  headrace_destroy_t destroy = nullptr;
  headrace_clock_t clock = nullptr;
  headrace_clock_settles_t clock_settles = nullptr;
  headrace_port_t port = nullptr;
};

#ifdef HEADRACE_LINKED
extern "C" {
void* headrace_create(int argc, const char** argv);
void headrace_destroy(void* model);
void headrace_clock(void* model);
int headrace_clock_settles(void* model, int arrays);
void* headrace_port(void* model, const char* name);
}
inline ModelCode load_code(const std::string&) {
  return {headrace_create, headrace_destroy, headrace_clock, headrace_clock_settles, headrace_port};
}
#else
// A file `<name>-<key>.so` exports its functions with the suffix `_<key>`; several names may be links to one object.
inline ModelCode load_code(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) throw std::runtime_error(dlerror());
  const size_t dash = path.rfind('-'), dot = path.rfind('.');
  if (dash == std::string::npos || dot == std::string::npos || dot < dash)
    throw std::runtime_error(path + " has no key in its name");
  const std::string suffix = "_" + path.substr(dash + 1, dot - dash - 1);
  const auto symbol = [&](const char* name) {
    void* found = dlsym(handle, (std::string("headrace_") + name + suffix).c_str());
    if (!found) throw std::runtime_error(path + " does not export the model interface");
    return found;
  };
  ModelCode code;
  code.create = reinterpret_cast<headrace_create_t>(symbol("create"));
  code.destroy = reinterpret_cast<headrace_destroy_t>(symbol("destroy"));
  code.clock = reinterpret_cast<headrace_clock_t>(symbol("clock"));
  code.clock_settles = reinterpret_cast<headrace_clock_settles_t>(symbol("clock_settles"));
  code.port = reinterpret_cast<headrace_port_t>(symbol("port"));
  return code;
}
#endif

class Model {
 public:
  Model(const std::string& path, const std::vector<std::string>& arguments) : code_(load_code(path)) {
    std::vector<const char*> argv{"model"};
    for (const auto& argument : arguments) argv.push_back(argument.c_str());
    model_ = code_.create(static_cast<int>(argv.size()), argv.data());
  }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  ~Model() { code_.destroy(model_); }

  void clock() { code_.clock(model_); }
  bool clock_settles(bool arrays) { return code_.clock_settles(model_, arrays) != 0; }

  uint8_t* port(const std::string& name) {
    void* storage = code_.port(model_, name.c_str());
    if (!storage) throw std::runtime_error("the model has no port " + name);
    return static_cast<uint8_t*>(storage);
  }

 private:
  ModelCode code_;
  void* model_ = nullptr;
};
