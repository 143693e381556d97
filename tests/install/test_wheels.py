"""What the two wheels hold, and what they say that they need."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

from hwgen.simulation.toolchain import VERILATOR_RELEASE
from tests.install.wheels import CLIENT_PACKAGES, ROOT, SERVICE_PACKAGES, Wheels, build, files

# Import name -> distribution, where the two differ.
_DISTRIBUTIONS = {"google": "protobuf", "prometheus_client": "prometheus-client", "sklearn": "scikit-learn"}
# Imported where they are needed and named with the command that installs them where they are missing.
_OPTIONAL_CLIENT = {"matplotlib", "numpy", "onnx", "onnxscript", "optuna", "pandas", "scikit-learn", "torch", "tqdm"}
_OPTIONAL_SERVICE = {"torch", "onnxscript", "pyarrow"}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    return build(tmp_path_factory.mktemp("wheels"))


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def metadata(wheel: Path) -> dict[str, list[str]]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        message = Parser().parsestr(archive.read(name).decode())
    return {key: message.get_all(key, []) for key in set(message)}


def needed(wheel: Path) -> dict[str, str]:
    """Distribution -> range, extras left out."""
    plain = [text for text in metadata(wheel)["Requires-Dist"] if "extra ==" not in text]
    parts = [re.fullmatch(r"([a-z0-9-]+)(?:\[\w+\])?(.*)", text) for text in plain]
    return {part[1]: part[2] for part in parts if part}


def imports(packages: tuple[str, ...]) -> set[str]:
    """Distributions that the packages import; not the standard library, our own, or what runs inside a bundle."""
    ours = {*CLIENT_PACKAGES, *SERVICE_PACKAGES}
    files = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    found = {name for path in files if path.parent.name != "bundle_files" for name in _imports(path)}
    return {_DISTRIBUTIONS.get(name, name) for name in found - ours - set(sys.stdlib_module_names)}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_each_wheel_holds_every_file_of_its_packages_and_no_other(wheels: Wheels) -> None:
    assert contents(wheels.client) == files(CLIENT_PACKAGES)
    assert contents(wheels.service) == files(SERVICE_PACKAGES)
    suffixes = {Path(name).suffix for name in contents(wheels.service)}
    assert suffixes >= {".py", ".html", ".css", ".sv", ".svh", ".vlt", ".cpp", ".hpp", ".json", ".mako", ".sh"}


def test_every_import_is_a_stated_dependency(wheels: Wheels) -> None:
    assert imports(CLIENT_PACKAGES) - needed(wheels.client).keys() <= _OPTIONAL_CLIENT
    assert imports(SERVICE_PACKAGES) - needed(wheels.service).keys() <= _OPTIONAL_SERVICE
    extras = {text.split(";")[0] for text in metadata(wheels.client)["Requires-Dist"] if "extra ==" in text}
    assert not [name for name in ("pandas", "matplotlib", "torch", "tqdm") if not any(name in t for t in extras)]


def test_ranges_hold_what_the_tests_run_with(wheels: Wheels) -> None:
    from packaging.specifiers import SpecifierSet  # of the test environment alone

    pinned = dict(line.split("==") for line in (ROOT / "requirements.txt").read_text().split() if "==" in line)
    for wheel in (wheels.client, wheels.service):
        for name, wanted in needed(wheel).items():
            if name != "headrace":
                assert wanted and pinned[name] in SpecifierSet(wanted), f"{name}{wanted} leaves {pinned[name]} out"
    assert needed(wheels.service)["verilator"] == f"=={VERILATOR_RELEASE}"


def test_one_version_everywhere(wheels: Wheels) -> None:
    import api
    import headrace

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version == headrace.__version__ == api.__version__
    assert metadata(wheels.client)["Version"] == metadata(wheels.service)["Version"] == [version]
    assert needed(wheels.service)["headrace"] == f"=={version}"
    assert f'headrace-service=={version}; extra == "service"' in metadata(wheels.client)["Requires-Dist"]


@pytest.fixture(scope="module")
def client_alone(wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the client and its stated dependencies, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheels.client) as archive:
        archive.extractall(packages)
    for distribution in _closure(set(needed(wheels.client))):
        for file in distribution.files or ():
            if not file.is_absolute() and ".." not in file.parts and "__pycache__" not in file.parts:
                (packages / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(distribution.locate_file(file)), packages / file)
    return folder / "bin" / "python"


def _closure(names: set[str]) -> list[importlib.metadata.Distribution]:
    """The distributions with all that they need in turn."""
    found: dict[str, importlib.metadata.Distribution] = {}
    while names:
        name = names.pop()
        found[name] = importlib.metadata.distribution(name)
        plain = [text for text in found[name].requires or () if "extra ==" not in text]
        wanted = {re.split(r"[^A-Za-z0-9._-]", text)[0].lower() for text in plain}
        names |= {n for n in wanted if n not in found and _installed(n)}
    return list(found.values())


def _installed(name: str) -> bool:
    """Whether this environment has it; what a marker leaves out on this machine, it does not."""
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def run(python: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(python), "-I", "-c", code], capture_output=True, text=True, check=False, cwd="/", env=environment
    )


def test_the_client_stands_alone(client_alone: Path) -> None:
    code = """
import importlib.util, json, sys
import headrace, headrace.cli, headrace.demo, headrace.doctor
names = ("api", "db", "workers", "explorer", "hwgen", "torch", "numpy", "pandas", "matplotlib", "onnx", "setuptools")
print(json.dumps([name for name in names if importlib.util.find_spec(name)]))
"""
    done = run(client_alone, code)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert json.loads(done.stdout) == []


def test_what_is_missing_is_named_with_the_command_that_brings_it(client_alone: Path, tmp_path: Path) -> None:
    code = """
import headrace
from headrace import frames, plot, study, upload
job = {"id": "a", "spec": {"objectives": [{"metric": "accuracy"}, {"metric": "est_lut"}]}}
calls = (
    lambda: upload.dataset_bytes(([1], [2])),
    lambda: frames.trials_frame([], []),
    lambda: plot.plot_sweep([(job, [])]),
    lambda: study.study_of(job, []),
)
for call in calls:
    try:
        call()
    except headrace.HeadraceError as error:
        print(error)
"""
    done = run(client_alone, code)
    assert done.returncode == 0, done.stderr
    for package, line in zip(("numpy", "pandas", "matplotlib", "optuna"), done.stdout.splitlines(), strict=True):
        assert f"pip install {package}" in line


@pytest.mark.parametrize("arguments", [["serve"], ["demo"]])
def test_commands_of_the_service_say_how_to_install_it(
    client_alone: Path, tmp_path: Path, arguments: list[str]
) -> None:
    done = run(client_alone, f"import headrace.cli, sys; sys.exit(headrace.cli.main({arguments}))", HOME=str(tmp_path))
    assert done.returncode == 1 and "pip install 'headrace[service]'" in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_connect_without_a_service_says_what_to_do(client_alone: Path, tmp_path: Path) -> None:
    # A port that nobody listens on stands for the default one, on which the developer's own service may answer.
    code = """
import headrace
from headrace import embedded
embedded.DEFAULT_URL = "http://127.0.0.1:9"
try:
    headrace.connect()
except headrace.ConnectionFailed as error:
    print(error)
"""
    done = run(client_alone, code, HOME=str(tmp_path))
    assert "pip install 'headrace[service]'" in done.stdout and "HEADRACE_URL" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_doctor_of_a_client_looks_for_a_service(client_alone: Path, tmp_path: Path) -> None:
    code = "import headrace.cli, sys; sys.exit(headrace.cli.main(['doctor']))"
    done = run(client_alone, code, HOME=str(tmp_path), HEADRACE_URL="http://127.0.0.1:9")
    assert done.returncode == 1 and "pip install 'headrace[service]'" in done.stdout, done.stdout + done.stderr
