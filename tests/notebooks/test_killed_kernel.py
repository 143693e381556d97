"""A sweep of twelve jobs survives a killed kernel and a killed service; running its cell again submits nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

import headrace
from headrace.service import LocalService
from tests.e2e.test_real_faults import perceptron
from tests.notebooks.kernel import Kernel

pytestmark = pytest.mark.slow

CELL = """
import headrace
client = headrace.connect()
sweep = client.sweep(
    models=["mlp.onnx"],
    platforms={
        f"{name} at {mhz} MHz": {"devices": [{"device": name}], "clock_mhz": mhz}
        for name in ("xc7s6", "u250") for mhz in (50, 100, 150)
    },
    spaces={f"int{n}": {"weight_bits": [n], "activation_bits": [n], "max_lanes": 2} for n in (4, 6)},
    search={"trials": 2, "sampler": "random"},
    simulation={"samples": 2},
)
print(sweep.id)
sweep.wait(progress=True)
print(sorted(job.state for job in sweep.jobs()), len(sweep.dataframe()), sweep.plot()._repr_png_()[:4])
"""


def until(true: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_sweep_goes_on(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "notebook"
    folder.mkdir()
    perceptron(folder / "mlp.onnx")
    with LocalService(home) as service, headrace.connect(service.url) as client:
        kernel = Kernel(service.url, folder)
        kernel.start(CELL)
        until(lambda: any(job.progress[0] for job in client.jobs()))
        kernel.kill()
        submitted = {job.id for job in client.jobs()}
        unfinished = [job for job in client.jobs() if not job.terminal]
        assert len(submitted) == 12 and unfinished, "the sweep was over before the kernel was killed"
        # The service dies too, with everything under it.
        assert service._process is not None
        service._process.kill()
        service._process.wait()
    with LocalService(home) as service, headrace.connect(service.url) as client:
        kernel = Kernel(service.url, folder)
        try:
            first = kernel.run(CELL)
            again = kernel.run(CELL)
        finally:
            kernel.kill()
        assert {job.id for job in client.jobs()} == submitted
        assert first.splitlines()[0] == again.splitlines()[0], "the same sweep"
        assert first.splitlines()[1].startswith(str(["succeeded"] * 12))
        assert len({(j.labels["platform"], j.labels["space"]) for j in client.jobs()}) == 12
