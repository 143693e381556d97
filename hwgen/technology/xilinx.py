"""What the AMD families have in common: block RAM, and the mapper's charges for it."""

from __future__ import annotations

from hwgen.technology.fabric import BlockRam

# The widest shape of each needs one port for reading and one for writing.
_HALF = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
_WHOLE = ((32768, 1), (16384, 2), (8192, 4), (4096, 9), (2048, 18), (1024, 36), (512, 72))
BLOCK_RAMS = (BlockRam(_HALF, cost=129, units=1, collides=False), BlockRam(_WHOLE, cost=257, units=2, collides=False))
ROM_BIT_COST = 1 / 64
