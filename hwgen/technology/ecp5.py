"""Lattice ECP5: LUTs of four inputs, MULT18X18D, embedded block RAM (EBR) of 18 Kbit.

A carry cell occupies the two LUTs of its slice for two bits. A distributed memory of 16 words x 4 bits occupies the
four LUTs of two slices, and the two of a third one for its write port.
"""

from __future__ import annotations

from hwgen.technology.fabric import BlockRam, DistributedRam, Fabric, Multiplier

_EBR = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))

FABRIC = Fabric(
    lut_inputs=4,
    distributed=DistributedRam(((16, 4),), cost=4, used_cost=0, luts=6),
    blocks=(BlockRam(_EBR, cost=128, units=1, collides=True),),
    rom_bit_cost=1 / 16,
    multiplier=Multiplier(18, 18, least_product=4, unsigned=True, holds_result=False),
)
