"""Run all benchmarks, or those whose letters are given: ``python -m benchmarks b c``."""

from __future__ import annotations

import sys

from benchmarks import candidate_cost, jet_mlp, mac_rate, operator_cost, opt_layer, plan_cost, search_rate

BENCHMARKS = {
    "a": candidate_cost.main,
    "b": operator_cost.main,
    "c": mac_rate.main,
    "d": search_rate.main,
    "e": jet_mlp.main,
    "f": plan_cost.main,
    "g": opt_layer.main,
}


def main() -> None:
    """Run and print them in order."""
    for letter in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[letter]()
        print(flush=True)


if __name__ == "__main__":
    main()
