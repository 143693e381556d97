"""The service that ``headrace.connect()`` starts is shared, and ends with its caller, however that ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.workers.service import ROOT, gone

pytestmark = pytest.mark.slow

_CONNECT = """
import sys
import headrace
from headrace import embedded
embedded.DEFAULT_URL = "http://127.0.0.1:9"  # a service of the developer's own is none of ours
print(headrace.connect().url, flush=True)
sys.stdin.read()
"""


def connect(home: Path) -> subprocess.Popen[str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith("HEADRACE_")}
    return subprocess.Popen(
        [sys.executable, "-c", _CONNECT], cwd=ROOT, env=plain | {"HEADRACE_HOME": str(home)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_two_that_connect_at_once_share_one_service_that_dies_with_its_starter(tmp_path: Path) -> None:
    callers = [connect(tmp_path), connect(tmp_path)]
    try:
        urls = {caller.stdout.readline() for caller in callers if caller.stdout}
        assert len(urls) == 1 and urls.pop().startswith("http://127.0.0.1:")
        trees = [psutil.Process(caller.pid).children(recursive=True) for caller in callers]
        starter = next(caller for caller, tree in zip(callers, trees, strict=True) if tree)
        assert sum(bool(tree) for tree in trees) == 1
        starter.kill()
        assert gone([process for tree in trees for process in tree], 60.0) == []
    finally:
        for caller in callers:
            caller.kill()
            caller.communicate()
    assert not (tmp_path / "serve.json").exists()
