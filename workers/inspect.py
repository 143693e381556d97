"""Parse untrusted uploads in the sandbox: ``python -m workers.inspect model FILE OUT [FIXED_JSON] |
dataset FILE [GRAPH] | check SPEC_JSON GRAPH [DATASET]``.

Prints the JSON object that the parsing command printed. A parser that crashes or reaches a limit ends this command
with status 1 and the end of its log on standard error.
"""

from __future__ import annotations

import contextlib
import json
import stat
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hwgen.errors import ModelError
from hwgen.model.sniff import FileKind, sniff
from workers import sandbox, supervisor
from workers.settings import Settings, from_environment

_OUTPUT_BYTES = 16 * 1024 * 1024
_GRAPH_BYTES = 4 << 30
_PACKAGES = ("hwgen", "explorer")
_NO_ISOLATION = (
    "this machine cannot isolate processes, so it opens no torch.export archive, which torch reads by running parts of "
    "it: upload an ONNX file, or allow user namespaces (`headrace doctor` says what is missing)"
)


class ParserError(Exception):
    """The parser crashed, or went over its limits."""


def inspect_model(settings: Settings, file: Path, out: Path, fixed: Path | None) -> dict[str, Any]:
    """Answer of ``hwgen.model.inspect``; the canonical graph lands at ``out`` when the model is accepted.

    Args:
        settings: limits.
        file: the upload.
        out: where the graph goes.
        fixed: JSON file of shapes and values of inputs that the caller fixes.

    Raises:
        ParserError: the parser crashed or reached a limit.
    """
    if sandbox.detect().mode != "namespaces" and _can_run_code(file):
        return {"ok": False, "type": "unsafe-model", "detail": _NO_ISOLATION, "errors": []}
    with tempfile.TemporaryDirectory(dir=out.parent, prefix="parse-") as scratch:
        graph = Path(scratch).resolve() / "graph"
        more = [fixed] if fixed else []
        command = ["hwgen.model.inspect", *map(str, (file, graph, *more))]
        answer = _ask(settings, command, [file, *more], [graph.parent])
        if answer.get("ok") is True:
            _take(graph, out)
    return answer


def _can_run_code(file: Path) -> bool:
    """Whether reading this kind of file means running what is in it, however carefully it was looked at before."""
    try:
        return sniff(file.read_bytes()) is FileKind.TORCH_EXPORT
    except ModelError:
        return False  # the parser refuses it too, and says why


def inspect_dataset(settings: Settings, file: Path, graph: Path | None) -> dict[str, Any]:
    """Answer of ``explorer.dataset``. Raises ParserError."""
    files = [file, *([graph] if graph else [])]
    return _ask(settings, ["explorer.dataset", *map(str, files)], files, [])


def check(settings: Settings, spec: Path, graph: Path, dataset: Path | None) -> dict[str, Any]:
    """Answer of ``explorer.check``. Raises ParserError."""
    files = [spec, graph, *([dataset] if dataset else [])]
    return _ask(settings, ["explorer.check", *map(str, files)], files, [])


def _take(graph: Path, out: Path) -> None:
    """Move what the parser wrote to ``out``, unless it is not a plain file of sensible size."""
    status = graph.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > _GRAPH_BYTES:
        raise ParserError("the parser left something that is not a graph file")
    graph.replace(out)


def _ask(settings: Settings, module: Sequence[str], shown: Sequence[Path], writable: Sequence[Path]) -> dict[str, Any]:
    limits = sandbox.Limits(settings.parse_memory_bytes, _GRAPH_BYTES, cpu_seconds=int(settings.parse_seconds) + 1)
    command = sandbox.detect().command(["-m", *module], limits, _PACKAGES, shown, writable)
    with tempfile.TemporaryDirectory(prefix="headrace-log-") as logs:
        try:
            done = supervisor.run(command, Path(logs) / "log", settings.parse_seconds, _OUTPUT_BYTES)
        except supervisor.TooLongError as error:
            raise ParserError(f"{module[0]} {error}") from error
    if done.status != 0:
        raise ParserError(f"{module[0]} ended with status {done.status}\n{done.log}")
    with contextlib.suppress(ValueError):
        answer = json.loads(done.output)
        if isinstance(answer, dict) and isinstance(answer.get("ok"), bool):
            return answer
    raise ParserError(f"{module[0]} did not print its answer\n{done.log}")


def main(arguments: Sequence[str]) -> int:
    """Run one of the three commands; 2 for a usage error."""
    settings = from_environment()
    # The sandbox shows real paths only.
    paths = [Path(argument).resolve() for argument in arguments[1:]]
    try:
        match arguments[:1], paths:
            case ["model"], [file, out, *rest] if len(rest) <= 1:
                answer = inspect_model(settings, file, out, rest[0] if rest else None)
            case ["dataset"], [file, *rest] if len(rest) <= 1:
                answer = inspect_dataset(settings, file, rest[0] if rest else None)
            case ["check"], [spec, graph, *rest] if len(rest) <= 1:
                answer = check(settings, spec, graph, rest[0] if rest else None)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except ParserError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
