"""Notebook kernels for tests: clean ones, that see this checkout and one service."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

ROOT = Path(__file__).parents[2]


def environment(url: str, home: Path) -> dict[str, str]:
    """Of a kernel: nothing in it could show a picture by itself, and IPython has ``home`` for its own files."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MPL", "HEADRACE"))}
    models = {name: os.environ[name] for name in ("HEADRACE_MODEL_CACHE",) if name in os.environ}
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return inherited | models | {"HEADRACE_URL": url, "PYTHONPATH": paths, "IPYTHONDIR": str(home)}


class Kernel:
    """A live kernel that cells are sent to."""

    def __init__(self, url: str, folder: Path) -> None:
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(env=environment(url, folder / ".ipython"), cwd=str(folder))
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=120)

    def start(self, cell: str) -> None:
        """Start a cell and return at once."""
        self._client.execute(cell)

    def run(self, cell: str, seconds: float = 300) -> str:
        """Run a cell and give what it printed on standard output."""
        printed: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                printed.append(message["content"]["text"])

        reply = self._client.execute_interactive(cell, timeout=seconds, output_hook=hear)
        assert reply["content"]["status"] == "ok", "\n".join(reply["content"]["traceback"])
        return "".join(printed)

    def kill(self) -> None:
        """SIGKILL, as the system does when memory is short."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        while self._manager.is_alive():
            time.sleep(0.05)
