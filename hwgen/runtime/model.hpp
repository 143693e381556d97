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
using headrace_clock_t = void (*)(void* model);                     // one rising and one falling clock edge
using headrace_port_t = void* (*)(void* model, const char* name);   // storage of a port, null if there is none
}

struct ModelCode {
  headrace_create_t create = nullptr;
  headrace_destroy_t destroy = nullptr;
  headrace_clock_t clock = nullptr;
  headrace_port_t port = nullptr;
};

#ifdef HEADRACE_LINKED
extern "C" {
void* headrace_create(int argc, const char** argv);
void headrace_destroy(void* model);
void headrace_clock(void* model);
void* headrace_port(void* model, const char* name);
}
inline ModelCode load_code(const std::string&) {
  return {headrace_create, headrace_destroy, headrace_clock, headrace_port};
}
#else
inline ModelCode load_code(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) throw std::runtime_error(dlerror());
  ModelCode code;
  code.create = reinterpret_cast<headrace_create_t>(dlsym(handle, "headrace_create"));
  code.destroy = reinterpret_cast<headrace_destroy_t>(dlsym(handle, "headrace_destroy"));
  code.clock = reinterpret_cast<headrace_clock_t>(dlsym(handle, "headrace_clock"));
  code.port = reinterpret_cast<headrace_port_t>(dlsym(handle, "headrace_port"));
  if (!code.create || !code.destroy || !code.clock || !code.port)
    throw std::runtime_error(path + " does not export the model interface");
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

  uint8_t* port(const std::string& name) {
    void* storage = code_.port(model_, name.c_str());
    if (!storage) throw std::runtime_error("the model has no port " + name);
    return static_cast<uint8_t*>(storage);
  }

 private:
  ModelCode code_;
  void* model_ = nullptr;
};
