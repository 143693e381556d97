// Registers within an operator's arithmetic. The arithmetic is a sequence of levels, 1 to `Levels`: what one cycle can do at
// the best clock (a memory's word, a product, one level of an adder tree, one shift). `Stages` registers are spread
// evenly behind them; with Stages = Levels each level has a cycle of its own, with 0 all share one.
// Include it inside a module that defines `Stages` and `Levels`, 0 <= Stages <= Levels.

/// Registers that stand behind the levels 1 to `level`, and so the cycles that they take.
function automatic int unsigned registers_until(input int unsigned level);
  return level * Stages / Levels;
endfunction

/// Whether one of them stands right behind this level.
function automatic bit registered(input int unsigned level);
  return registers_until(level) != registers_until(level - 1);
endfunction

/// That of `count` levels in a row, the first one in bit 0.
function automatic logic [31:0] registers_of(input int unsigned first, input int unsigned count);
  logic [31:0] mask;
  mask = '0;
  for (int unsigned k = 0; k < count; k++) mask[k] = registered(first + k);
  return mask;
endfunction

/// Places of an output buffer: as many results as are issued while one place is taken, `cycles`, when in `period` cycles
/// `burst` results are issued one after the other.
function automatic int unsigned places(
    input int unsigned cycles, input int unsigned period, input int unsigned burst);
  int unsigned rest, most;
  rest = cycles % period;
  most = cycles / period * burst + (rest < burst ? rest : burst);
  return most > 2 ? most : 2;
endfunction
