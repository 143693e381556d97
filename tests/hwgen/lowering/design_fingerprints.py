"""What a lowered design computes and is made of, as digests: a change of structure must leave all of them alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np

from hwgen.hardware.design import Design, run_reference
from hwgen.hardware.streams import Words
from hwgen.numbers.arrays import Array


def _array(array: Array) -> bytes:
    return str(array.shape).encode() + np.ascontiguousarray(array, dtype="<i8").tobytes()


def _short(digest: hashlib._Hash) -> str:
    return digest.hexdigest()[:16]


def structure_digest(design: Design) -> str:
    """Every instance with its module, RTL parameters, contents and device, and every stream with its ends and type."""
    digest = hashlib.sha256()
    for instance in design.instances:
        digest.update(f"{instance.name} {instance.device} {instance.source}".encode())
        digest.update(json.dumps(instance.operator.describe(), sort_keys=True).encode())
        for key in sorted(instance.contents):
            digest.update(key.encode() + _array(np.asarray(instance.contents[key])))
    for stream in design.streams:
        kind, ends = stream.type, (stream.producer, stream.consumer)
        text = f"{kind.tokens} {kind.features} {kind.lanes} {kind.format.text}"
        digest.update(f"{stream.name} {text} {[(e.instance, e.port) for e in ends if e]}".encode())
    return _short(digest)


def words_digest(design: Design, inputs: Mapping[str, Words]) -> str:
    """The integer reference's words on every stream."""
    digest = hashlib.sha256()
    streams = run_reference(design, inputs)
    for name in sorted(streams):
        digest.update(name.encode())
        for array in (streams[name].elements, streams[name].exponents):
            if array is not None:
                digest.update(_array(array))
    return _short(digest)
