// The model interface of `model.hpp` over one Verilated class. The build defines VCLASS, and `ports.inc` lists its ports
// as HEADRACE_PORT(name).
#include HEADRACE_HEADER

#include <cstring>

namespace {
struct Wrapped {
  VerilatedContext context;
  VCLASS* top = nullptr;
};
}  // namespace

#define HEADRACE_EXPORT extern "C" __attribute__((visibility("default")))

HEADRACE_EXPORT void* headrace_create(int argc, const char** argv) {
  auto* wrapped = new Wrapped;
  wrapped->context.commandArgs(argc, argv);
  wrapped->context.randReset(2);  // registers without reset start at random: an undefined read shows as a wrong word
  wrapped->context.randSeed(1);
  wrapped->top = new VCLASS(&wrapped->context);
  wrapped->top->clk_i = 0;
  wrapped->top->eval();
  return wrapped;
}

HEADRACE_EXPORT void headrace_destroy(void* model) {
  auto* wrapped = static_cast<Wrapped*>(model);
  delete wrapped->top;
  delete wrapped;
}

HEADRACE_EXPORT void headrace_clock(void* model) {
  auto* top = static_cast<Wrapped*>(model)->top;
  top->clk_i = 1;
  top->eval();
  top->clk_i = 0;
  top->eval();
}

HEADRACE_EXPORT void* headrace_port(void* model, const char* name) {
  auto* top = static_cast<Wrapped*>(model)->top;
#define HEADRACE_PORT(port) \
  if (!std::strcmp(name, #port)) return &top->port;
#include "ports.inc"
  return nullptr;
}
