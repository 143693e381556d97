"""Transpositions of whole samples, by element and by beat."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from hwgen.hardware.operators.permute import Permute, beat_order, most_lanes
from hwgen.numbers.formats import Format, IntFormat, MxFormat
from tests.hwgen.conformance.case import WIDTHS, Case, Level, Mutation, random_words

MUTATIONS = (
    Mutation("dse_permute.sv", "(fetch_bank_q ? BankedWidth'(Beats) : '0)", "BankedWidth'(0)", "one bank only"),
    Mutation("dse_permute.sv", "fetch_last ? '0 : fetch_q", "fetch_last ? fetch_q : fetch_q", "order not rewound"),
    Mutation("dse_permute.sv", "take && read_last_q", "fetch && fetch_last", "bank released a beat early"),
)


def permute(rng: np.random.Generator, view: tuple[int, ...], order: tuple[int, ...], lanes: int, kind: Format) -> Case:
    """The transposition of ``view``; the last axis before and after counts as the features."""
    elements = int(np.prod(view))
    before, after = view[-1], view[order[-1]]
    operator = Permute(elements // before, before, elements // after, after, lanes, kind)
    contents = {"address": beat_order(view, order, lanes)}
    return Case(operator, contents, {"in": random_words(rng, operator.inputs["in"])})


def cases(rng: np.random.Generator, level: Level) -> Iterator[Case]:
    """Quick: a transposition by element, one by beat, a single beat, shared exponents. Full: every order and width."""
    yield permute(rng, (5, 7), (1, 0), 1, IntFormat(5, True))
    yield permute(rng, (3, 4, 6), (1, 0, 2), 3, IntFormat(8, True))
    yield permute(rng, (1, 6), (0, 1), 6, IntFormat(1, False))
    yield permute(rng, (3, 2, 32), (1, 0, 2), 8, MxFormat(4, 16, 3))
    if level == "full":
        for bits, order in zip(itertools.cycle(WIDTHS), itertools.permutations(range(4)), strict=False):
            view = (*(int(n) for n in rng.integers(1, 5, 3)), 6)
            run = most_lanes(view, order)
            for lanes in sorted({1, *(d for d in (2, 3, 6) if run % d == 0 == view[order[-1]] % d)}):
                yield permute(rng, view, order, lanes, IntFormat(bits, True))
