"""Optuna's samplers, set up for small boxes of integers, several objectives and constraints."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Mapping

import optuna
from optuna.samplers import BaseSampler, GPSampler, NSGAIIISampler, NSGAIISampler, RandomSampler, TPESampler

from explorer.errors import SamplerUnavailable

optuna.logging.set_verbosity(optuna.logging.ERROR)

_LARGEST_POPULATION = 50


def make_sampler(name: str, seed: int, trials: int) -> BaseSampler:
    """A fresh sampler.

    Args:
        name: ``tpe``, ``nsga2``, ``nsga3``, ``gp`` or ``random``.
        seed: of its random generator.
        trials: budget, which sets start-up and population sizes.

    Raises:
        SamplerUnavailable: the sampler needs a package that is not installed.
    """
    with warnings.catch_warnings():
        # Experimental in name: the behaviour of the pinned release is what was measured.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return _MAKERS[name](seed, trials)


def missing_packages(name: str) -> tuple[str, ...]:
    """Packages that the sampler ``name`` needs and that are not installed."""
    needed = ("torch", "scipy") if name == "gp" else ()
    return tuple(package for package in needed if importlib.util.find_spec(package) is None)


def _tpe(seed: int, trials: int) -> BaseSampler:
    # Multivariate with groups proposes three times fewer repeats than independent sampling, at a fifth of the cost.
    startup = max(5, min(20, trials // 8))
    return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True, n_startup_trials=startup)


def _gp(seed: int, trials: int) -> BaseSampler:
    missing = missing_packages("gp")
    if missing:
        raise SamplerUnavailable(f"the gp sampler needs {' and '.join(missing)}; install them or use tpe")
    return GPSampler(seed=seed, n_startup_trials=max(5, min(20, trials // 5)), deterministic_objective=True)


def _population(trials: int) -> int:
    return max(8, min(_LARGEST_POPULATION, trials // 8))


_MAKERS: Mapping[str, Callable[[int, int], BaseSampler]] = {
    "tpe": _tpe,
    "gp": _gp,
    "nsga2": lambda seed, trials: NSGAIISampler(seed=seed, population_size=_population(trials)),
    "nsga3": lambda seed, trials: NSGAIIISampler(seed=seed, population_size=_population(trials)),
    "random": lambda seed, trials: RandomSampler(seed=seed),
}
