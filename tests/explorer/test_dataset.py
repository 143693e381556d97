import io
import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from explorer.dataset import describe, load
from explorer.errors import DatasetError
from tests.explorer.graphs import ids_model, mlp


def save(path, **arrays):
    np.savez(path, **arrays)
    return path


def test_a_good_data_set(tmp_path):
    path = save(tmp_path / "d.npz", inputs=np.zeros((5, 8), np.float32), targets=np.arange(5) % 3)
    answer = describe(path, mlp())
    assert answer == {
        "ok": True,
        "samples": 5,
        "arrays": {"inputs": {"shape": [5, 8], "dtype": "float32"}, "targets": {"shape": [5], "dtype": "int64"}},
    }
    data = load(path, mlp())
    assert data.inputs["x"].shape == (5, 8) and data.inputs["x"].dtype == np.float32
    assert data.part(1, 3)["x"].shape == (2, 8)


def test_axes_of_length_one_may_be_left_out(tmp_path):
    assert load(save(tmp_path / "d.npz", inputs=np.zeros((5, 1, 8))), mlp()).inputs["x"].shape == (5, 8)
    assert load(save(tmp_path / "e.npz", input_x=np.zeros((5, 8))), mlp()).samples == 5


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"inputs": np.zeros((5, 9))}, "takes (8,)"),
        ({"targets": np.zeros(5)}, "inputs"),
        ({"input_z": np.zeros((5, 8))}, "inputs is missing: the model's input 'x' takes it"),
        ({"inputs": np.zeros((5, 8)), "targets": np.zeros(4)}, "one row per sample"),
        ({"inputs": np.full((5, 8), np.nan)}, "not finite"),
        ({"inputs": np.full((5, 8), 1e300)}, "not finite"),
        ({"inputs": np.array(["a", "b"])}, "real numbers"),
        ({"inputs": np.zeros((0, 8))}, "at least one"),
        ({"inputs": np.array([{}, {}], dtype=object)}, "not objects"),
        ({"inputs": np.array(1.0)}, "at least one"),
    ],
)
def test_bad_arrays_are_named(tmp_path, arrays, text):
    answer = describe(save(tmp_path / "d.npz", **arrays), mlp())
    assert not answer["ok"]
    assert text in answer["detail"]  # what to do is said at once, not only in the list of errors
    assert answer["errors"]


def test_token_ids_are_checked_against_the_vocabulary(tmp_path):
    good = save(tmp_path / "g.npz", inputs=np.full((2, 4), 10))
    assert describe(good, ids_model())["ok"]
    for value in (11, -1, 0.5):
        bad = save(tmp_path / "b.npz", inputs=np.full((2, 4), value))
        assert "0 .. 10" in json.dumps(describe(bad, ids_model()))


def test_hostile_archives(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    bomb = tmp_path / "bomb.npz"
    with zipfile.ZipFile(bomb, "w") as archive:
        buffer = io.BytesIO()
        np.lib.format.write_array_header_1_0(buffer, {"descr": "|O", "fortran_order": False, "shape": (1,)})
        archive.writestr("inputs.npy", buffer.getvalue() + pickle.dumps(Bomb()))
    plain = tmp_path / "plain.npz"
    plain.write_bytes(pickle.dumps({"inputs": 1}))
    lying = tmp_path / "lying.npz"
    with zipfile.ZipFile(lying, "w") as archive:
        buffer = io.BytesIO()
        np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 8)})
        archive.writestr("inputs.npy", buffer.getvalue())
    climbing = tmp_path / "climbing.npz"
    with zipfile.ZipFile(climbing, "w") as archive:
        archive.writestr("../inputs.npy", b"")
    for path in (bomb, plain, lying, climbing):
        answer = describe(path, None)
        assert not answer["ok"] and answer["detail"]


def test_load_raises_with_issues(tmp_path):
    with pytest.raises(DatasetError) as error:
        load(save(tmp_path / "d.npz", inputs=np.zeros((5, 7))), mlp())
    assert error.value.issues[0]["array"] == "inputs"


def test_command_prints_json(tmp_path):
    path = save(tmp_path / "d.npz", inputs=np.zeros((5, 8)))
    mlp().save(tmp_path / "graph")
    command = [sys.executable, "-m", "explorer.dataset", str(path), str(tmp_path / "graph")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["samples"] == 5
