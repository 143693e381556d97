// The model interface of `model.hpp` over one Verilated class. The build defines VCLASS, HEADRACE_HEADER, and HEADRACE_KEY
// if several models share one object (it may then include this file several times); HEADRACE_PORTS lists the ports as
// HEADRACE_PORT(name). HEADRACE_ROOT is defined for a model of the form that `hwgen/simulation/generated.py` checks: its generated
// code is called without Verilator's scheduler, which costs several times what an operator does in a cycle.
#ifndef HEADRACE_PORTS
#define HEADRACE_PORTS "ports.inc"
#endif
#define HEADRACE_JOIN(name, key) name##key
#define HEADRACE_EXPAND(name, key) HEADRACE_JOIN(name, key)
#ifdef HEADRACE_KEY
#define HEADRACE_NAME(name) HEADRACE_EXPAND(headrace_##name##_, HEADRACE_KEY)
#else
#define HEADRACE_NAME(name) headrace_##name
#endif
#define HEADRACE_EXPORT extern "C" __attribute__((visibility("default")))

#include HEADRACE_HEADER

#include <cstddef>
#include <cstdlib>
#include <cstring>

struct HEADRACE_NAME(wrapped) {
  VerilatedContext context;
  VCLASS* top = nullptr;
  unsigned char* before = nullptr;  // the state before a clock; no container: each would be compiled with every operator
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
  std::free(wrapped->before);
  delete wrapped->top;
  delete wrapped;
}

HEADRACE_EXPORT void HEADRACE_NAME(clock)(void* model) {
  auto* top = static_cast<HEADRACE_NAME(wrapped)*>(model)->top;
#ifdef HEADRACE_ROOT
  auto* root = top->rootp;
#ifdef HEADRACE_INPUT_LOGIC
  root->__VicoTriggered[0U] = 1U;
  HEADRACE_EXPAND(HEADRACE_ROOT, ___eval_ico)(root);
#endif
  root->__VnbaTriggered[0U] = 1U;
  HEADRACE_EXPAND(HEADRACE_ROOT, ___eval_nba)(root);
  root->__VnbaTriggered[0U] = 0U;
#else
  top->clk_i = 1;
  top->eval();
  top->clk_i = 0;
  top->eval();
#endif
}

HEADRACE_EXPORT int HEADRACE_NAME(clock_settles)(void* model, int arrays) {
#ifdef HEADRACE_ROOT
  auto* wrapped = static_cast<HEADRACE_NAME(wrapped)*>(model);
  const auto* state = reinterpret_cast<const unsigned char*>(wrapped->top->rootp);
  const size_t bytes = arrays ? sizeof(HEADRACE_ROOT) : offsetof(HEADRACE_ROOT, HEADRACE_FIRST_ARRAY);
  if (!wrapped->before) wrapped->before = static_cast<unsigned char*>(std::malloc(sizeof(HEADRACE_ROOT)));
  std::memcpy(wrapped->before, state, bytes);
  HEADRACE_NAME(clock)(model);
  return std::memcmp(wrapped->before, state, bytes) == 0;
#else
  (void)arrays;
  HEADRACE_NAME(clock)(model);
  return 0;
#endif
}

HEADRACE_EXPORT void* HEADRACE_NAME(port)(void* model, const char* name) {
  auto* top = static_cast<HEADRACE_NAME(wrapped)*>(model)->top;
#define HEADRACE_PORT(port) \
  if (!std::strcmp(name, #port)) return &top->port;
#include HEADRACE_PORTS
  return nullptr;
}
