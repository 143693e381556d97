"""Operators that exchange blocks of pixels and channels."""

from __future__ import annotations

from hwgen.model.onnx.call import Call, Handlers
from hwgen.model.onnx.declared import ANYTHING, Declared
from hwgen.model.onnx.refused import Refused
from hwgen.model.onnx.source import shown
from hwgen.model.onnx.view import View


def _depth_to_space(call: Call) -> View:
    n, c, h, w = _image_shape(call)
    block = _block(call)
    inner = c // (block * block)
    split, order = {
        "DCR": ((n, block, block, inner, h, w), (0, 3, 4, 1, 5, 2)),
        "CRD": ((n, inner, block, block, h, w), (0, 1, 4, 2, 5, 3)),
    }[_mode(call)]
    moved = call.builder.reshaped(call.view(0), split).transposed(order)
    return call.builder.reshaped(moved, (n, inner, h * block, w * block))


def _space_to_depth(call: Call) -> View:
    n, c, h, w = _image_shape(call)
    block = _block(call)
    order = {"DCR": (0, 3, 5, 1, 2, 4), "CRD": (0, 1, 3, 5, 2, 4)}[_mode(call)]
    moved = call.builder.reshaped(call.view(0), (n, c, h // block, block, w // block, block)).transposed(order)
    return call.builder.reshaped(moved, (n, c * block * block, h // block, w // block))


def _image_shape(call: Call) -> tuple[int, ...]:
    shape = call.view(0).shape
    if len(shape) != 4:
        raise Refused("needs an image of shape (1, channels, rows, columns)")
    return shape


def _block(call: Call) -> int:
    block = call.attribute("blocksize", 0)
    if block < 1:
        raise Refused("needs a block size of 1 or more")
    return block


def _mode(call: Call) -> str:
    mode = call.attribute("mode", "DCR")
    if mode not in ("DCR", "CRD"):
        raise Refused(f"the mode {shown(mode)!r}; use DCR or CRD")
    return mode


HANDLERS: Handlers = {
    "DepthToSpace": Declared(_depth_to_space, 1, ("blocksize", "mode"), ANYTHING),
    "SpaceToDepth": Declared(_space_to_depth, 1, ("blocksize", "mode"), ANYTHING),
}
