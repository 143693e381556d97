"""Evaluates ONNX nodes whose operands are all constant, with numpy and within limits.

Exporters compute shapes, masks and positions with dozens of small nodes; after folding nothing of that remains.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.errors import ModelError
from hwgen.model.onnx import fold_layout, fold_numbers
from hwgen.model.onnx.declared import check, table
from hwgen.model.onnx.fold_operands import Folds, Operands
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.source import SourceNode, as_supported, shown
from hwgen.numbers.arrays import Array

MAX_TOTAL_ELEMENTS = 1 << 28

RULES: Folds = table(fold_layout.RULES, fold_numbers.RULES)


class Folder:
    """Folds nodes and counts what it makes, so that a small file cannot unfold into a large one."""

    def __init__(self, opset: int) -> None:
        self._opset = opset
        self._elements = 0

    def fold(
        self, node: SourceNode, inputs: Sequence[Array | None], types: Sequence[str | None]
    ) -> tuple[Array, ...] | None:
        """The node's outputs; None where the operator is not folded.

        Args:
            node: a node.
            inputs: its operands; None where one is left out.
            types: their element types, by ONNX's names.

        Raises:
            Refused: operands that do not fit the operator.
            ModelError: the constants become too large.
        """
        rule = RULES.get(node.operator)
        if rule is None:
            return None
        # the further operands have the type of the first, or are axes, shapes and the like
        check(rule, node, self._opset, [*types[:1], *(None for _ in types[1:])])
        operands = Operands(node, inputs, types)
        try:
            with np.errstate(all="ignore"):
                made = rule.function(operands)
        except (ValueError, IndexError, TypeError, KeyError, OverflowError) as error:
            raise Refused(f"its constant operands do not fit: {shown(str(error))}") from error
        results = tuple(np.asarray(m) for m in made) if isinstance(made, list) else (np.asarray(made),)
        self._elements += sum(r.size for r in results)
        if self._elements > MAX_TOTAL_ELEMENTS:
            raise ModelError("the constants of the model unfold to more than 2^28 numbers; simplify the model first")
        return tuple(as_supported(r, node.name) for r in results)
