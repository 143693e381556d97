"""Small designs for the tests of emission, sign-off and bundles."""

from __future__ import annotations

import itertools

import numpy as np

from hwgen.hardware.design import Design, Endpoint, Instance, Stream, verify_design
from hwgen.hardware.operators.matvec import Matvec
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import Words
from hwgen.numbers.formats import IntFormat
from hwgen.numbers.rescale import Requantize


def matvec_chain(name="chain", features=(12, 10, 6), lanes=(3, 5, 2), tokens=2, devices=(0, 0), seed=0):
    """A chain of matrix-vector products with random contents, and random stimulus for three samples."""
    rng = np.random.default_rng(seed)
    fmt = IntFormat(5, True)
    instances, streams, producer = [], [], None
    for n, (fi, fo) in enumerate(itertools.pairwise(features)):
        # Each product takes the lanes that the one before it gives.
        op = Matvec(
            tokens, 1, fi, fo, lanes[n], lanes[n + 1], fmt, IntFormat(4, True), 16, Requantize(fmt), 4, False, DEEPEST
        )
        contents = {
            "weight": rng.integers(-8, 8, (1, fo, fi)),
            "bias": rng.integers(-50, 50, (1, fo)),
            "shift": rng.integers(1, 6, (1, fo)),
        }
        instances.append(Instance(f"fc{n}", op, contents, devices[n], f'/model/fc.{n}/Gemm*/;$system("id");\n`x'))
        streams.append(Stream("x" if n == 0 else f"h{n}", op.inputs["in"], producer, Endpoint(f"fc{n}", "in")))
        producer = Endpoint(f"fc{n}", "out")
    streams.append(Stream("y", instances[-1].operator.outputs["out"], producer, None))
    design = Design(name, tuple(instances), tuple(streams))
    verify_design(design)
    return design, {"x": Words(rng.integers(-16, 16, (3, tokens, features[0])).astype(np.int32))}
