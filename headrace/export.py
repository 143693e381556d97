"""A live ``torch.nn.Module`` as the bytes of an ONNX file: quietly, and the same bytes for the same module.

torch is the caller's: this module is imported only when a module is handed in, and takes torch from there.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headrace.errors import HeadraceError
from headrace.optional import need

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# A language model of transformers answers with an object that holds a cache; its scores are what is asked for.
_CACHE_ARGUMENT = "use_cache"


def export(module: Any, example: Any) -> bytes:
    """Export in evaluation mode; the module's own mode is restored.

    Args:
        module: a ``torch.nn.Module``.
        example: one input batch (tensor, array or tuple of them) that fixes the input shapes.

    Raises:
        HeadraceError: there is no example, a package is missing, or torch cannot export the module.
    """
    if example is None:
        raise HeadraceError(
            "a torch module needs example inputs to export: pass example=<one input batch> or a dataset"
        )
    need("onnx", "to export a torch module")
    need("onnxscript", "to export a torch module")
    torch: Any = sys.modules["torch"]
    training = module.training
    module.eval()
    try:
        with torch.no_grad(), _quiet(), tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            # One file: the service accepts no external data.
            torch.onnx.export(
                _plain(torch, module), _tensors(torch, example), str(path), dynamo=True, external_data=False,
                verbose=False,
            )  # fmt: skip
            return _without_traces(path)
    except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
        raise HeadraceError(f"torch could not export this module to ONNX: {_reason(error)}") from error
    finally:
        module.train(training)


def _tensors(torch: Any, example: Any) -> tuple[Any, ...]:
    np = need("numpy", "for example inputs")
    inputs = example if isinstance(example, tuple) else (example,)
    return tuple(x if isinstance(x, torch.Tensor) else torch.as_tensor(np.asarray(x)) for x in inputs)


def _plain(torch: Any, module: Any) -> Any:
    """The module itself, or around a language model of transformers one that gives only its scores."""
    if _CACHE_ARGUMENT not in inspect.signature(module.forward).parameters:
        return module

    class Scores(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = module

        def forward(self, *inputs: Any) -> Any:
            answer = self.model(*inputs, use_cache=False)
            return answer.logits if hasattr(answer, "logits") else answer[0]

    return Scores().eval()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """torch deprecates parts of itself that its own exporter uses, and names packages that no model here needs."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


def _without_traces(path: Path) -> bytes:
    """The file without the exporter's notes: they name source files, so equal models would differ by kernel."""
    onnx = need("onnx", "to export a torch module")
    model = onnx.load(str(path))
    graphs = [model.graph]
    while graphs:
        graph = graphs.pop()
        for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
            part.ClearField("metadata_props")
            part.ClearField("doc_string")
        graphs += [a.g for node in graph.node for a in node.attribute if a.HasField("g")]
    return bytes(model.SerializeToString(deterministic=True))


def _reason(error: BaseException) -> str:
    """What torch says, without colours and without its advice to its own developers."""
    text = _ANSI.sub("", str(error))
    return (
        text.split("## Exception summary")[-1]
        .removesuffix("(Refer to the full stack trace above for more information.)")
        .strip()
    )
