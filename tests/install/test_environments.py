"""Both wheels in empty environments of every Python here: installed, looked at, run. ``make wheels`` reports it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headrace import demo_digits
from tests.install.environments import Environment, create, interpreters
from tests.install.wheels import Wheels, build

pytestmark = pytest.mark.slow

REPORT = "HEADRACE_WHEELS_REPORT"
CLIENT_BYTES = 60e6
_READY_SECONDS = 120.0
_ABSENT = ("api", "db", "workers", "explorer", "hwgen", "torch", "numpy", "pandas", "matplotlib")
_LOOK = f"import headrace, importlib.util as u; print([n for n in {_ABSENT} if u.find_spec(n)])"
_JOB = """
import json, sys
import headrace
with headrace.connect(*sys.argv[3:]) as client:
    job = client.submit(sys.argv[1], dataset=sys.argv[2], search={"trials": 1}, simulation={"samples": 2})
    job.wait(progress=False)
    trial = next(iter(job.trials()))
    print(json.dumps([client.url, job.state, trial["exact"]]))
"""

rows: dict[str, dict[str, str]] = {}


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    return build(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module", params=interpreters().items(), ids=lambda item: item[0])
def python(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


@pytest.fixture(scope="module")
def row(python: tuple[str, str]) -> dict[str, str]:
    return rows.setdefault(python[0], {})


@pytest.fixture(scope="module")
def client(python: tuple[str, str], wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return create(python[1], tmp_path_factory.mktemp("environment") / "client", str(wheels.client))


@pytest.fixture(scope="module")
def service(python: tuple[str, str], wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("environment") / "service"
    return create(python[1], folder, str(wheels.client), str(wheels.service))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for each Python: what was compiled once is compiled."""
    return tmp_path_factory.mktemp("home")


def test_the_client_is_light_and_alone(client: Environment, home: Path, row: dict[str, str]) -> None:
    assert client.installed_bytes < CLIENT_BYTES
    looked = client.run(home, "python", "-c", _LOOK)
    assert looked.stdout == "[]\n", looked.stdout + looked.stderr
    version = client.run(home, "headrace", "--version")
    assert version.stdout.startswith("headrace "), version.stderr
    row["client"] = f"{client.installed_bytes / 1e6:.1f} MB"


def test_doctor_finds_nothing_missing(service: Environment, home: Path, row: dict[str, str]) -> None:
    done = service.run(home, "headrace", "doctor")
    assert done.returncode == 0 and "words equal" in done.stdout, done.stdout + done.stderr
    row["service"] = f"{service.installed_bytes / 1e6:.0f} MB"
    row["`headrace doctor`"] = "0"


def test_the_client_submits_to_a_running_service(
    client: Environment, service: Environment, home: Path, row: dict[str, str]
) -> None:
    with serving(service, home) as url:
        for path, words in (("/readyz", b'"ready":true'), ("/", b"/static/"), ("/v1/devices", b"u250")):
            with urllib.request.urlopen(url + path, timeout=30) as answer:
                assert words in answer.read().replace(b": ", b":")
        compared = submit(client, home, url)
    row["`headrace serve`"] = f"ready, 1 job, {compared} words equal"


def test_connect_starts_a_service_that_ends_with_its_caller(
    service: Environment, home: Path, row: dict[str, str]
) -> None:
    compared = submit(service, home)
    assert not (home / "data" / "serve.json").exists()
    row["`headrace.connect()`"] = f"started, 1 job, {compared} words equal, ended"


def test_the_demo_runs(service: Environment, home: Path, row: dict[str, str]) -> None:
    done = service.run(home, "headrace", "demo", "--trials", "8", "--wall-seconds", "240", seconds=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "trained beforehand" in done.stdout and "pip install matplotlib" in done.stdout
    words = next(line for line in done.stdout.splitlines() if "mismatched" in line)
    assert " 0 mismatched" in words and list((home / "demo_output").glob("trial-*.zip"))
    row["`headrace demo`"] = words.split("words", 1)[1].strip()


@contextlib.contextmanager
def serving(service: Environment, home: Path) -> Iterator[str]:
    """``headrace serve``, ready; it has to end in order."""
    command = [service.program("headrace"), "serve", "--port", "0"]
    process = subprocess.Popen(command, cwd=home, env=service.variables(home), stdin=subprocess.DEVNULL)
    try:
        yield _ready_url(home / "data" / "serve.json", process)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def _ready_url(announcement: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            url = str(json.loads(announcement.read_text())["url"])
            with urllib.request.urlopen(url + "/readyz", timeout=5):
                return url
        time.sleep(0.2)
    raise AssertionError(f"not ready; exit status {process.poll()}")


def submit(environment: Environment, home: Path, *url: str) -> int:
    """One job of one trial; the words compared in it, all equal."""
    files = [str(demo_digits.MODEL), str(demo_digits.DATASET)]
    done = environment.run(home, "python", "-c", _JOB, *files, *url)
    assert done.returncode == 0, done.stderr
    _, state, exact = json.loads(done.stdout.splitlines()[-1])
    assert state == "succeeded" and exact["compared_words"] > 0 and exact["mismatched_words"] == 0
    return int(exact["compared_words"])


@pytest.fixture(scope="module", autouse=True)
def report(wheels: Wheels) -> Iterator[None]:
    """Write the report where the environment asks for one, of what was seen and nothing else."""
    yield
    if os.environ.get(REPORT):
        Path(os.environ[REPORT]).write_text(_report(wheels))


def _report(wheels: Wheels) -> str:
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    lines = [["Python", *columns], ["---"] * (len(columns) + 1)]
    lines += [[version, *(row.get(name, "failed") for name in columns)] for version, row in rows.items()]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    sizes = ", ".join(f"`{path.name}` {path.stat().st_size / 1e3:.0f} kB" for path in (wheels.client, wheels.service))
    return f"""# The wheels in empty environments

Made by `make wheels` on {datetime.now(UTC):%Y-%m-%d}: {sizes}. Each environment is
new, has no torch, and runs far from the checkout with a home of its own. Client and service: what pip added,
dependencies included. Words: of every stream of the simulated designs, compared with the integer reference.

{table}
"""
