"""The client is light: nothing of the service, no torch, pandas, matplotlib, tqdm; what is missing is named."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = (
    "torch",
    "pandas",
    "matplotlib",
    "tqdm",
    "numpy",
    "onnx",
    "optuna",
    "api",
    "db",
    "workers",
    "explorer",
    "hwgen",
)

WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", ["headrace", "headrace.cli"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    loaded = python(f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])")
    assert loaded.strip() == "[]"


@pytest.mark.parametrize("module", ["headrace", "headrace.cli"])
def test_importing_needs_nothing_heavy(module: str) -> None:
    python(WITHOUT.format(names=(*HEAVY, "rich")) + f"import {module}")


@pytest.mark.parametrize(
    ("package", "code"),
    [
        ("pandas", "from headrace.frames import trials_frame; trials_frame([], [])"),
        ("matplotlib", "from headrace.plot import _figure; _figure()"),
        ("optuna", "from headrace.study import study_of; study_of({'spec': {'objectives': []}}, [])"),
        ("numpy", "from headrace.upload import dataset_bytes; dataset_bytes(([], []))"),
        ("rich", "from headrace.cli.output import show_table; show_table(['a'], [])"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_its_command(package: str, code: str) -> None:
    shown = python(
        WITHOUT.format(names=(package,))
        + f"import headrace\ntry:\n    {code}\nexcept headrace.MissingPackage as error:\n    print(error)"
    )
    assert f"pip install {package}" in shown


def test_progress_without_tqdm_goes_on_in_lines() -> None:
    shown = python(
        WITHOUT.format(names=("tqdm",))
        + "import io\nfrom headrace.progress import Progress, Status\n"
        + "screen = type('Screen', (io.StringIO,), {'isatty': lambda self: True})()\n"
        + "with Progress(file=screen) as shown:\n    shown.update(Status(1, 2, 'running', ''))\n"
        + "print(screen.getvalue())"
    )
    assert "pip install tqdm" in shown and "1/2 trials" in shown
