"""The former place of ``hwgen.numbers.rescale``, until lowering names the new one."""

from hwgen.numbers.rescale import Requantize

__all__ = ["Requantize"]
