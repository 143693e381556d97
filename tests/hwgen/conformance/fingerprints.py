"""Fingerprints of the conformance cases: what every case computed, and in how many cycles, when it was recorded.

A change of structure leaves all of them as they are. ``--record-fingerprints`` writes ``fingerprints.json`` anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hwgen.hardware.streams import Words
from hwgen.simulation.measurement import Measurement
from tests.hwgen.conformance.case import SAMPLES, Case

FILE = Path(__file__).with_name("fingerprints.json")


def words_digest(streams: Mapping[str, Words]) -> str:
    """The first 64 bits of the SHA-256 of all words, in the order of the streams' names."""
    digest = hashlib.sha256()
    for name in sorted(streams):
        for array in (streams[name].elements, streams[name].exponents):
            if array is not None:
                digest.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
    return digest.hexdigest()[:16]


def fingerprint(case: Case, results: Sequence[Measurement]) -> str:
    """Digest of a case's input and output words, its latency and interval, its cycles under each stall pattern."""
    outputs = case.operator.reference(case.inputs, case.contents)
    if not case.inputs:
        outputs = {port: words.repeated(SAMPLES) for port, words in outputs.items()}
    words = words_digest({f"in {p}": w for p, w in case.inputs.items()} | {f"out {p}": w for p, w in outputs.items()})
    cycles = " ".join(str(r.total_cycles) for r in results)
    return f"{words} {results[0].latency_cycles} {results[0].interval_cycles} {cycles}"


def stored(operator: str, level: str) -> list[str]:
    """The recorded fingerprints of an operator's cases, in their order; empty where none were recorded."""
    found: list[str] = json.loads(FILE.read_text()).get(f"{operator} {level}", []) if FILE.exists() else []
    return found


def record(fingerprints: Mapping[str, Sequence[str]]) -> None:
    """Write ``fingerprints`` (``operator level`` to the cases' in order), keeping what is stored of others."""
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    FILE.write_text(json.dumps(known | {k: list(v) for k, v in fingerprints.items()}, indent=0, sort_keys=True) + "\n")
