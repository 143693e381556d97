"""Matrix products: with constant weights (LINEAR) and of two activations (MATMUL)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.model.kinds.arithmetic import Add
from hwgen.model.kinds.linear import Linear
from hwgen.model.kinds.matmul import MatMul
from hwgen.model.onnx.call import Call, Handlers
from hwgen.model.onnx.declared import FLOATS, Declared
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.values import Const
from hwgen.model.onnx.view import View
from hwgen.numbers.arrays import Array


def contract(call: Call, view: View, axis: int, weight: Array, bias: Array | None = None) -> View:
    """``weight`` (out, in) applied along one axis of a view; the axis then has ``out`` elements.

    The order of the reduced axis in the stream does not matter: the weight columns are permuted to it.
    """
    reduced = view.dims[axis]
    if weight.shape[1] != view.shape[axis]:
        raise Refused(
            f"a weight for {weight.shape[1]} inputs meets an axis of {view.shape[axis]}; export the model again"
        )
    grid_factors = [f for f in range(len(view.sizes)) if f not in reduced]
    stream = sorted(reduced)
    split = weight.reshape(weight.shape[0], *(view.sizes[f] for f in reduced))
    columns = split.transpose(0, *(1 + reduced.index(f) for f in stream)).reshape(weight.shape)
    order = [*grid_factors, *stream]
    shape = call.builder.shape(view)
    keep = order == sorted(order) and shape.features == weight.shape[1]
    grid = shape.grid if keep else tuple(view.sizes[f] for f in grid_factors)
    laid = call.builder.lay(view, order, grid, weight.shape[1])
    constants = {"weight": columns, "bias": np.zeros(len(weight)) if bias is None else bias}
    node = call.builder.emit(Linear(), [laid.node], constants)
    place = {factor: i for i, factor in enumerate(grid_factors)}
    dims = [tuple(place[f] for f in dim) if i != axis else () for i, dim in enumerate(view.dims)]
    sizes = [view.sizes[f] for f in grid_factors]
    if len(weight) > 1:
        dims[axis] = (len(sizes),)
        sizes.append(len(weight))
    return View(node, tuple(sizes), tuple(dims))


def _gemm(call: Call) -> View:
    alpha, beta = call.attribute("alpha", 1.0), call.attribute("beta", 1.0)
    transposed_a, transposed_b = bool(call.attribute("transA", 0)), bool(call.attribute("transB", 0))
    if isinstance(call.required(0), Const) or not isinstance(call.required(1), Const):
        raise Refused(
            "a Gemm needs an activation times constant weights; write the product of two activations as MatMul"
        )
    view, weight, bias = call.view(0), call.weights(1), call.operand(2)
    if len(view.dims) != 2 or weight is None or weight.ndim != 2:
        raise Refused("a Gemm needs operands with two axes")
    weight = alpha * (weight if transposed_b else weight.T)
    view = view.transposed((1, 0)) if transposed_a else view
    if isinstance(bias, Const) and (bias.array.size == 1 or bias.array.shape in ((len(weight),), (1, len(weight)))):
        vector = beta * np.broadcast_to(bias.array.astype(np.float64).reshape(-1), (len(weight),))
        return contract(call, view, 1, weight, vector)
    result = contract(call, view, 1, weight)
    if bias is None or beta == 0.0:
        return result
    if isinstance(bias, Const):
        return call.builder.with_constant(result, Add(), beta * bias.array.astype(np.float64))
    raise Refused("the addend of a Gemm must be a constant; add activations with Add")


def _matmul(call: Call) -> View:
    a, b = call.required(0), call.required(1)
    if isinstance(b, Const):
        view, weight = call.view(0), _matrix(b.array)
        return _of_rank(contract(call, view, len(view.dims) - 1, weight.T), b.array)
    if isinstance(a, Const):
        view = call.view(1)
        if len(view.dims) < 2:
            raise Refused("a constant times a vector; swap the operands")
        return _of_rank(contract(call, view, len(view.dims) - 2, _matrix(a.array)), a.array)
    return product(call, call.view(0), call.view(1))


def _of_rank(result: View, weight: Array) -> View:
    """The product has as many axes as the weight, if that has more than the activation."""
    if len(result.dims) == 1 and weight.ndim > 2:
        raise Refused("a vector times a stack of matrices; unsqueeze it to a matrix")
    return result.with_rank(max(len(result.dims), weight.ndim)) if len(result.dims) > 1 else result


def _matrix(array: Array) -> Array:
    # A copy of every weight would be dear. What is folded into it is float64, so it becomes that where it matters.
    squeezed = array if array.dtype == np.float32 else array.astype(np.float64)
    while squeezed.ndim > 2 and squeezed.shape[0] == 1:
        squeezed = squeezed[0]
    if squeezed.ndim != 2:
        raise Refused(f"a constant of shape {array.shape} in a MatMul; use one weight matrix for the whole batch")
    return squeezed


def product(call: Call, a: View, b: View) -> View:
    """The matrix product of two activations of equal rank, leading axes being batches (the heads of an attention)."""
    rank = max(len(a.dims), len(b.dims))
    if min(len(a.dims), len(b.dims)) < 2:
        raise Refused("a product with a vector; unsqueeze it to a matrix")
    a, b = a.with_rank(rank), b.with_rank(rank)
    if a.shape[-1] != b.shape[-2]:
        raise Refused(f"a product of shapes {a.shape} and {b.shape}")
    if any(x == 1 and y > 1 for x, y in zip(a.shape[:-2], b.shape[:-2], strict=True)):
        raise Refused("the first operand of the product is shared by several heads; repeat it in the model")
    if any(y not in (1, x) for x, y in zip(a.shape[:-2], b.shape[:-2], strict=True)):
        raise Refused(f"a product of shapes {a.shape} and {b.shape}")
    a, b = _aligned(call, a, b)
    shared = [axis for axis in range(rank - 2) if b.dims[axis]]
    a_heads, b_heads = ([f for axis in shared for f in v.dims[axis]] for v in (a, b))
    heads = b.size(b_heads)
    a_reduced, b_reduced = a.dims[-1], b.dims[-2]
    rows = [f for f in range(len(a.sizes)) if f not in a_heads and f not in a_reduced]
    a_laid = call.builder.lay(a, [*rows, *a_heads, *a_reduced], [a.size(rows)], heads * a.size(a_reduced))
    columns = b.dims[-1]
    by_token = [*columns, *b_heads, *b_reduced]
    transpose_b = by_token == sorted(by_token) or list(b_reduced) + b_heads + list(columns) != sorted(by_token)
    if transpose_b:
        b_laid = call.builder.lay(b, by_token, [b.size(columns)], heads * b.size(b_reduced))
    else:
        b_laid = call.builder.lay(b, [*b_reduced, *b_heads, *columns], [b.size(b_reduced)], heads * b.size(columns))
    node = call.builder.emit(MatMul(heads, transpose_b), [a_laid.node, b_laid.node])
    return _product_view(node, a, b, rows, a_heads)


def _aligned(call: Call, a: View, b: View) -> tuple[View, View]:
    """Both views with the same factor sizes along their shared batch axes and along the reduced axis."""
    shared = [axis for axis in range(len(a.dims) - 2) if b.dims[axis]]
    pairs = [(a.dims[axis], b.dims[axis]) for axis in shared] + [(a.dims[-1], b.dims[-2])]
    if all([a.sizes[f] for f in x] == [b.sizes[f] for f in y] for x, y in pairs):
        return a, b
    return _plain(call, a), _plain(call, b)


def _plain(call: Call, view: View) -> View:
    """The view with one factor per axis, moving data where an axis is spread over the stream."""
    merged = view.merged()
    if all(len(dim) <= 1 for dim in merged.dims):
        return merged
    return call.builder.lay(merged, merged.sequence, (), merged.elements).merged()


def _product_view(node: str, a: View, b: View, rows: Sequence[int], a_heads: Sequence[int]) -> View:
    kept = [*rows, *a_heads]
    place = {factor: i for i, factor in enumerate(kept)}
    columns = tuple(range(len(kept), len(kept) + len(b.dims[-1])))
    sizes = [*(a.sizes[f] for f in kept), *(b.sizes[f] for f in b.dims[-1])]
    dims = tuple(tuple(place[f] for f in dim) for dim in a.dims[:-1])
    return View(node, tuple(sizes), (*dims, columns))


HANDLERS: Handlers = {
    "Gemm": Declared(_gemm, 3, ("alpha", "beta", "transA", "transB"), FLOATS),
    "MatMul": Declared(_matmul, 2, (), FLOATS),
}
