"""Properties of the library cells that a single conformance case does not show."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.errors import IllegalParameters
from hwgen.hardware.design import Design, Endpoint, Instance, Stream, run_reference, verify_design
from hwgen.hardware.operators.adapter import Adapter
from hwgen.hardware.operators.constant import Constant
from hwgen.hardware.operators.eltwise import Eltwise, Function
from hwgen.hardware.operators.fifo import Fifo
from hwgen.hardware.operators.fork import fork
from hwgen.hardware.operators.link import Link
from hwgen.hardware.operators.repeat import Repeat
from hwgen.hardware.pipeline import DEEPEST
from hwgen.hardware.streams import StreamType, Words
from hwgen.numbers.formats import IntFormat, MxFormat
from hwgen.numbers.rescale import Requantize
from hwgen.simulation.build import BuildCache
from hwgen.simulation.sign_off import sign_off
from hwgen.simulation.simulate import SimulationOptions, simulate
from tests.hwgen.conformance.case import Case, random_words
from tests.hwgen.conformance.runner import simulate_case

KIND = IntFormat(6, True)
STREAM = StreamType(3, 6, 2, KIND)


def plus_constant(rng: np.random.Generator) -> Design:
    """``out = x + c``, where ``c`` goes through a FIFO and a fork whose other side leaves the design."""
    add = Eltwise(Function.ADD, 3, 6, 2, KIND, KIND, 8, Requantize(IntFormat(7, True)), 3, DEEPEST)
    value = {"value": rng.integers(-32, 32, (3, 6))}
    shifts = {name: np.array(0) for name in ("left_a", "left_b", "shift")}
    instances = (
        Instance("c", Constant(STREAM), value),
        Instance("buffer", Fifo(STREAM, 5)),
        Instance("copy", fork(STREAM, 2)),
        Instance("add", add, shifts),
    )
    streams = (
        Stream("x", STREAM, None, Endpoint("add", "a")),
        Stream("c_out", STREAM, Endpoint("c", "out"), Endpoint("buffer", "in")),
        Stream("buffered", STREAM, Endpoint("buffer", "out"), Endpoint("copy", "in")),
        Stream("to_add", STREAM, Endpoint("copy", "out0"), Endpoint("add", "b")),
        Stream("seen", STREAM, Endpoint("copy", "out1"), None),
        Stream("y", add.outputs["out"], Endpoint("add", "out"), None),
    )
    design = Design("plus_constant", instances, streams)
    verify_design(design)
    return design


@pytest.mark.parametrize("stalls", ["none", "random"])
def test_a_constant_feeds_a_design_in_every_sample(build_cache: BuildCache, stalls: str) -> None:
    rng = np.random.default_rng(1)
    design = plus_constant(rng)
    assert design.endless == {"c_out", "buffered", "to_add", "seen"}
    options = SimulationOptions(output_stalls=stalls, input_stalls=stalls, quiet_cycles=5_000)
    result = sign_off(design, {"x": random_words(rng, STREAM, 5)}, build_cache, options)
    assert result.equal, result.difference
    assert result.composed.internal_words > 0


def test_a_wrong_constant_is_noticed(build_cache: BuildCache) -> None:
    rng = np.random.default_rng(2)
    design = plus_constant(rng)
    inputs = {"x": random_words(rng, STREAM, 3)}
    expected = run_reference(design, inputs)
    wrong = expected["c_out"].elements.copy()
    wrong[2, 1, 4] += 1
    result = simulate(design, inputs, build_cache, expected={**expected, "c_out": Words(wrong)})
    assert result.internal_mismatched_words > 0 and result.mismatched_words == 0
    assert result.first_wrong is not None and result.first_wrong.operator == "c"


class ShortOfCredit(Link):
    """A link that is allowed one credit too few."""

    @staticmethod
    def least_credits(cycles_per_beat: int, latency_cycles: int) -> int:
        return Link.least_credits(cycles_per_beat, latency_cycles) - 1


@pytest.mark.parametrize(("per_beat", "latency"), [(1, 6), (3, 9)])
def test_the_fewest_credits_sustain_the_rate_and_one_less_does_not(
    build_cache: BuildCache, per_beat: int, latency: int
) -> None:
    stream = StreamType(20, 6, 2, KIND)
    words = {"in": random_words(np.random.default_rng(3), stream, 4)}
    least = Link.least_credits(per_beat, latency)
    enough = simulate_case(Case(Link(stream, per_beat, latency, least), {}, words), build_cache, "none")
    short = simulate_case(Case(ShortOfCredit(stream, per_beat, latency, least - 1), {}, words), build_cache, "none")
    assert enough.exact and enough.interval_cycles == stream.beats * per_beat
    assert short.exact and (short.interval_cycles or 0) > stream.beats * per_beat


@pytest.mark.parametrize("depth", [1, 2, 3, 7])
def test_a_fifo_holds_its_depth_and_no_more(build_cache: BuildCache, depth: int) -> None:
    stream = StreamType(40, 2, 1, KIND)
    words = {"in": random_words(np.random.default_rng(4), stream)}
    result = simulate_case(Case(Fifo(stream, depth), {}, words), build_cache, "stalls")
    assert result.activity["u_dut"].high_water_beats == max(2, depth)


def test_illegal_parameters_are_refused() -> None:
    with pytest.raises(IllegalParameters, match="sustain"):
        Link(STREAM, 1, 10, 4)
    with pytest.raises(IllegalParameters, match="at least 1 beat"):
        Fifo(STREAM, 0)
    with pytest.raises(IllegalParameters, match="divide"):
        Adapter(STREAM, 4)
    with pytest.raises(IllegalParameters, match="exponents"):
        Adapter(StreamType(1, 32, 16, MxFormat(4, 16)), 8)
    with pytest.raises(IllegalParameters, match="copies"):
        Repeat(STREAM, 1, 1)
    with pytest.raises(KeyError):
        fork(STREAM, 5)
