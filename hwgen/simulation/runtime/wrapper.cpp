// The model interface of `model.hpp` over one Verilated class. The build defines VCLASS, HEADRACE_HEADER, and HEADRACE_KEY
// if several models share one object (it may then include this file several times); HEADRACE_PORTS lists the ports as
// HEADRACE_PORT(name).
#ifndef HEADRACE_PORTS
#define HEADRACE_PORTS "ports.inc"
#endif
#ifdef HEADRACE_KEY
#define HEADRACE_JOIN(name, key) headrace_##name##_##key
#define HEADRACE_EXPAND(name, key) HEADRACE_JOIN(name, key)
#define HEADRACE_NAME(name) HEADRACE_EXPAND(name, HEADRACE_KEY)
#else
#define HEADRACE_NAME(name) headrace_##name
#endif
#define HEADRACE_EXPORT extern "C" __attribute__((visibility("default")))

#include HEADRACE_HEADER

#include <cstring>

struct HEADRACE_NAME(wrapped) {
  VerilatedContext context;
  VCLASS* top = nullptr;
};

HEADRACE_EXPORT void* HEADRACE_NAME(create)(int argc, const char** argv) {
  auto* wrapped = new HEADRACE_NAME(wrapped);
  wrapped->context.commandArgs(argc, argv);
  wrapped->context.randReset(2);  // registers without reset start at random: an undefined read shows as a wrong word
  wrapped->context.randSeed(1);
  wrapped->top = new VCLASS(&wrapped->context);
  wrapped->top->clk_i = 0;
  wrapped->top->eval();
  return wrapped;
}

HEADRACE_EXPORT void HEADRACE_NAME(destroy)(void* model) {
  auto* wrapped = static_cast<HEADRACE_NAME(wrapped)*>(model);
  delete wrapped->top;
  delete wrapped;
}

HEADRACE_EXPORT void HEADRACE_NAME(clock)(void* model) {
  auto* top = static_cast<HEADRACE_NAME(wrapped)*>(model)->top;
  top->clk_i = 1;
  top->eval();
  top->clk_i = 0;
  top->eval();
}

HEADRACE_EXPORT void* HEADRACE_NAME(port)(void* model, const char* name) {
  auto* top = static_cast<HEADRACE_NAME(wrapped)*>(model)->top;
#define HEADRACE_PORT(port) \
  if (!std::strcmp(name, #port)) return &top->port;
#include HEADRACE_PORTS
  return nullptr;
}
