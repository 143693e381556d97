import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.candidate import Candidate, NodeFormats
from explorer.space import NodeSpace, Space, activation_formats, weight_formats
from explorer.spec import SpaceSpec
from tests.explorer.spaces import small_encoding


@pytest.mark.parametrize(("devices", "first"), [(1, (0,)), (2, (0,)), (3, (0, 1, 2))])
def test_every_number_is_a_different_legal_design(devices, first):
    space = small_encoding(2, devices, weights=("int2", "int4"), activations=("int8",), first=first).space
    digests = {space.design(i).digest() for i in range(space.size)}
    assert len(digests) == space.size
    assert all(space.contains(space.design(i)) is None for i in range(0, space.size, 7))


def test_size_is_the_product_of_the_choices():
    space = Space((NodeSpace("a", ("int2", "int4"), ("int8",)), NodeSpace("b", (), ("int4", "int8"))), ("a", "b"), 2)
    assert space.size == 2 * 2 * 2
    devices = {tuple(space.design(i).partition.values()) for i in range(space.size)}
    assert devices == {(0, 0), (0, 1)}


def test_pipeline_shapes_of_three_devices_over_four_nodes():
    space = Space(tuple(NodeSpace(n) for n in "abcd"), tuple("abcd"), 3)
    shapes = {tuple(space.design(i).partition.values()) for i in range(space.size)}
    expected = {
        d for d in itertools.product(range(3), repeat=4)
        if d[0] == 0 and all(b - a in (0, 1) for a, b in itertools.pairwise(d))
    }  # fmt: skip
    assert shapes == expected


def test_what_is_outside_the_space_is_named():
    space = small_encoding(2).space
    inside = space.design(0)
    formats = {**inside.quantization, "n1": NodeFormats("int3", "int8")}
    assert "int3" in str(space.contains(Candidate(formats, inside.parallelism, inside.partition)))
    back = Candidate(inside.quantization, inside.parallelism, {"n0": 1, "n1": 0})
    assert "earlier device" in str(space.contains(back))


def test_formats_are_ordered_by_width():
    space = SpaceSpec(formats=("int", "mxint"), weight_bits=(4, 1, 8), activation_bits=(8,), mx_blocks=(16, 32))
    assert weight_formats(space) == ("int1", "int4", "mxint4b16", "mxint4b32", "int8", "mxint8b16", "mxint8b32")
    assert activation_formats(space) == ("int8", "mxint8b16", "mxint8b32")


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_encoding_inverts_decoding(data):
    encoding = small_encoding(3, 3, first=(0, 1, 2))
    point = {name: data.draw(st.integers(low, high)) for name, (low, high) in encoding.box.items()}
    candidate = encoding.decode(point)
    assert encoding.space.contains(candidate) is None
    again = encoding.encode(candidate)
    assert again is not None
    assert encoding.decode(again) == candidate


def test_levels_are_balanced_designs():
    encoding = small_encoding(3, 1)
    for level, interval in enumerate(encoding.levels):
        chosen = encoding.decode({"level": level}).parallelism
        options = {n.name: {o.key: o for o in n.lanes} for n in encoding.space.nodes}
        for name, lanes in chosen.items():
            assert options[name][lanes].interval <= interval
