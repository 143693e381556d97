"""The engine as its users meet it: through ``import hwgen`` only."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import hwgen
from hwgen.technology.catalogue import device
from tests.hwgen.importer.support import N, model, weights


def digits_mlp() -> onnx.ModelProto:
    """Its last operator, the softmax, stays in software."""
    nodes = [
        N("Gemm", ["pixels", "w1", "b1"], ["h"], transB=1, name="hidden"),
        N("Relu", ["h"], ["r"]),
        N("Gemm", ["r", "w2", "b2"], ["z"], transB=1, name="classes"),
        N("Softmax", ["z"], ["digit"], axis=1),
    ]
    constants = {"w1": weights(16, 64) / 8, "b1": weights(16), "w2": weights(10, 16) / 4, "b2": weights(10)}
    return model(nodes, {"pixels": [1, 64]}, ["digit"], constants)


def small_cnn() -> onnx.ModelProto:
    nodes = [
        N("Conv", ["image", "k", "c"], ["h"], pads=[1, 1, 1, 1]),
        N("Relu", ["h"], ["r"]),
        N("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        N("Flatten", ["p"], ["f"]),
        N("Gemm", ["f", "w", "b"], ["class"], transB=1),
    ]
    constants = {"k": weights(4, 2, 3, 3) / 4, "c": weights(4), "w": weights(5, 36) / 6, "b": weights(5)}
    return model(nodes, {"image": [1, 2, 6, 6]}, ["class"], constants)


def small_transformer() -> onnx.ModelProto:
    """One head of attention over four tokens of a vocabulary of five, with a residual and a layer norm."""
    nodes = [
        N("Gather", ["table", "tokens"], ["x"]),
        N("MatMul", ["x", "wq"], ["q"]),
        N("MatMul", ["x", "wk"], ["k"]),
        N("MatMul", ["x", "wv"], ["v"]),
        N("Transpose", ["k"], ["kt"], perm=[0, 2, 1]),
        N("MatMul", ["q", "kt"], ["s"]),
        N("Softmax", ["s"], ["a"], axis=-1),
        N("MatMul", ["a", "v"], ["o"]),
        N("Add", ["o", "x"], ["n"]),
        N("LayerNormalization", ["n", "g", "b"], ["m"], axis=-1),
        N("MatMul", ["m", "wo"], ["next"]),
    ]
    squares = {name: weights(8, 8, seed=i) / 4 for i, name in enumerate(("wq", "wk", "wv"))}
    constants = {"table": weights(5, 8), **squares, "wo": weights(8, 5) / 3}
    constants |= {"g": np.ones(8, np.float32), "b": np.zeros(8, np.float32)}
    return model(nodes, {"tokens": [1, 4]}, ["next"], constants, integer=["tokens"])


def samples_of(proto: onnx.ModelProto, count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    (value,) = proto.graph.input
    shape = (count, *[d.dim_value for d in value.type.tensor_type.shape.dim][1:])
    ids = value.type.tensor_type.elem_type == onnx.TensorProto.INT64
    return {value.name: rng.integers(0, 5, shape) if ids else rng.normal(size=shape).astype(np.float32)}


def onnxruntime_says(proto: onnx.ModelProto, samples: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    count = len(next(iter(samples.values())))
    rows = [session.run(None, {k: v[i : i + 1] for k, v in samples.items()}) for i in range(count)]
    return {name: np.concatenate([row[place] for row in rows]) for place, name in enumerate(names)}


def saved(proto: onnx.ModelProto, directory: Path) -> Path:
    path = directory / "model.onnx"
    onnx.save(proto, path)
    return path


def make_sim(bundle: Path, directory: Path) -> str:
    from hwgen.simulation.toolchain import find_toolchain  # where the tools are is no business of the engine's users

    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(directory)
    tools = find_toolchain()
    command = ["make", "--no-print-directory", "sim", f"VERILATOR={tools.verilator}", f"CXX={tools.cxx}"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("make", [digits_mlp, small_cnn, small_transformer])
def test_from_a_file_to_a_bundle(make, tmp_path, cache_directory):
    proto = make()
    loaded = hwgen.load(saved(proto, tmp_path))
    samples = samples_of(proto, 12)
    floats, expected = loaded.evaluate(samples), onnxruntime_says(proto, samples)
    assert floats.keys() == expected.keys()
    for name, value in expected.items():
        assert floats[name].shape == value.shape
        np.testing.assert_allclose(floats[name], value, rtol=1e-4, atol=1e-5)

    design = loaded.quantize(calibration=samples).design(lanes=4, cache=cache_directory)
    measured = design.simulate({name: array[:3] for name, array in samples.items()})
    for name, value in measured.outputs.items():
        assert value.shape == (3, *floats[name].shape[1:])
        assert np.corrcoef(value.ravel(), floats[name][:3].ravel())[0, 1] > 0.99
    assert measured.compared_words > 0 and measured.interval_cycles >= design.report().interval_cycles

    design.write_bundle(tmp_path / "out.zip")
    assert f"latency_cycles={measured.latency_cycles} " in make_sim(tmp_path / "out.zip", tmp_path / "out")


@pytest.fixture(scope="module")
def mlp(tmp_path_factory):
    return hwgen.load(saved(digits_mlp(), tmp_path_factory.mktemp("mlp")))


@pytest.fixture(scope="module")
def mlp_plan(mlp):
    return mlp.quantize(calibration=samples_of(digits_mlp(), 4))


def test_formats_lanes_and_devices_by_node(mlp, cache_directory):
    assert mlp.nodes == {"input1": "pixels", "linear1": "hidden", "linear2": "classes"}
    samples = samples_of(digits_mlp(), 4)
    plan = mlp.quantize(weights={"linear1": "int3"}, activations={"linear1": "int5"}, calibration=samples)
    design = plan.design(lanes={"linear1": (8, 2)}, devices={"linear2": 1}, cache=cache_directory)
    lines = {o.name: o for o in design.report().operations}
    assert lines["linear1"].interval_cycles == 64 // 8 * 16 // 2 and lines["linear2"].interval_cycles == 16 * 10
    assert (lines["linear1"].device, lines["linear2"].device) == (0, 1)
    assert lines["linear1"].constant_bits < 64 * 16 * 4 < lines["linear1"].constant_bits + 64 * 16 * 2
    assert design.simulate(samples).interval_cycles >= 160
    assert "linear2" in str(design.report())


def test_the_fastest_design_that_fits_is_as_fast_as_the_target_allows(mlp_plan, cache_directory):
    large = device("u250")
    (needed,) = mlp_plan.design(target=large).report().resources.values()
    small = replace(large, lut=int(needed.lut) // 2)
    found = mlp_plan.design(target=small, cache=cache_directory)
    (used,) = found.report().resources.values()
    assert used.lut <= small.lut
    assert found.report().interval_cycles > mlp_plan.design(target=large).report().interval_cycles
    assert found.simulate(samples_of(digits_mlp(), 2)).interval_cycles >= found.report().interval_cycles
    assert "LUT" in str(found.report())


@pytest.mark.parametrize("lanes", [None, 4])
def test_what_does_not_fit_is_refused(mlp_plan, lanes):
    with pytest.raises(hwgen.Misfit, match=r"device 0 needs \d+ lut, and the target has 10"):
        mlp_plan.design(lanes=lanes, target=replace(device("u250"), lut=10))


def test_targets_by_name(mlp_plan):
    found = {name: mlp_plan.design(lanes=4, target=name).report().resources[0] for name in ("u250", "LFE5U-85F")}
    assert found["u250"] != found["LFE5U-85F"]
    with pytest.raises(ValueError, match=r"no device 'nothing' in the catalogue; use one of .*lfe5u-85f"):
        mlp_plan.design(target="nothing")
    with pytest.raises(ValueError, match="versal"):
        mlp_plan.design(target="vck190")


def test_a_target_of_two_devices(mlp_plan):
    found = mlp_plan.design(target="lfe5u-25f", devices=2).report()
    assert sorted(found.resources) == [0, 1]


def test_devices_share_the_work(mlp_plan, cache_directory):
    design = mlp_plan.design(devices=2, cache=cache_directory)
    assert [o.device for o in design.report().operations if o.module == "dse_matvec"] == [0, 1]
    with pytest.raises(ValueError, match="1 to 2 devices"):
        mlp_plan.design(devices=3)


def test_every_offending_node_is_listed(tmp_path):
    nodes = [N("Sin", ["x"], ["s"], name="first"), N("Cos", ["s"], ["y"], name="second")]
    with pytest.raises(hwgen.ModelError) as refused:
        hwgen.load(saved(model(nodes, {"x": [1, 4]}), tmp_path))
    assert [issue.node for issue in refused.value.issues] == ["first", "second"]


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({}, "inputs are"),
        ({"pixel": np.zeros((1, 64))}, "inputs are"),
        ({"pixels": np.zeros(64)}, "give"),
        ({"pixels": np.zeros((0, 64))}, "one sample or more"),
        ({"pixels": np.full((1, 64), np.nan)}, "NaN"),
        ({"pixels": np.array([["a"] * 64])}, "not real numbers"),
    ],
)
def test_wrong_arrays_are_refused(mlp, mlp_plan, inputs, says):
    for call in (mlp.evaluate, mlp_plan.design().simulate, lambda x: mlp.quantize(calibration=x)):
        with pytest.raises(ValueError, match=says):
            call(inputs)


def test_ids_outside_the_vocabulary_are_refused(tmp_path):
    loaded = hwgen.load(saved(small_transformer(), tmp_path))
    for wrong in (-1, 5):
        with pytest.raises(ValueError, match="knows 0 to 4"):
            loaded.evaluate({"tokens": np.full((1, 4), wrong)})


def test_unknown_nodes_and_formats_are_refused(mlp, mlp_plan):
    samples = samples_of(digits_mlp(), 2)
    for wrong in ({"weights": {"linear9": "int8"}}, {"weights": "float8"}, {"activations": {"linear2": "int4"}}):
        with pytest.raises(ValueError, match=r"linear9|float8|linear2"):
            mlp.quantize(calibration=samples, **wrong)
    for wrong in ({"lanes": {"linear9": (1, 1)}}, {"devices": {"linear9": 0}}, {"lanes": 0}):
        with pytest.raises(ValueError, match=r"linear9|1 or more"):
            mlp_plan.design(**wrong)


def test_a_fault_in_the_rtl_is_named(mlp_plan, tmp_path, monkeypatch):
    """A library whose products are wrong: no measurement comes back."""
    import shutil

    from hwgen.hardware.library import RTL_DIRECTORY
    from hwgen.simulation.build import BuildCache

    faulty = shutil.copytree(RTL_DIRECTORY, tmp_path / "rtl", ignore=shutil.ignore_patterns("formal"))
    source = (faulty / "dse_matvec.sv").read_text()
    (faulty / "dse_matvec.sv").write_text(source.replace("(first ? signed'", "(!first ? signed'"))
    monkeypatch.setattr("hwgen.engine.BuildCache", lambda directory: BuildCache(directory, faulty))
    design = mlp_plan.design(cache=tmp_path / "cache")
    with pytest.raises(hwgen.NotExact, match=r"linear1: first wrong word on .* expected"):
        design.simulate(samples_of(digits_mlp(), 2))


def test_the_cache_is_below_the_xdg_directory(mlp_plan, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert mlp_plan.design().cache == tmp_path / "headrace" / "operators"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert mlp_plan.design().cache == tmp_path / ".cache" / "headrace" / "operators"


def test_importing_reads_neither_onnx_nor_torch():
    code = (
        "import sys, hwgen\nfrom hwgen.numbers.formats import Format\nhwgen.ModelError\n"
        "assert not {'onnx', 'torch'} & set(sys.modules)\n"
        "hwgen.load\nassert set(hwgen.__all__) == set(dir(hwgen))\n"
        "try:\n    hwgen.lode\nexcept AttributeError as error:\n    assert 'lode' in str(error)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
