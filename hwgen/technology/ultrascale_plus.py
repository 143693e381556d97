"""AMD UltraScale+: LUTs of six inputs, DSP48E2, block RAM of 36 Kbit that splits into two units of 18 Kbit."""

from __future__ import annotations

from hwgen.technology.fabric import DistributedRam, Fabric, Multiplier
from hwgen.technology.xilinx import BLOCK_RAMS, ROM_BIT_COST

FABRIC = Fabric(
    lut_inputs=6,
    distributed=DistributedRam(((32, 14), (64, 7)), cost=0, used_cost=16, luts=8),
    blocks=BLOCK_RAMS,
    rom_bit_cost=ROM_BIT_COST,
    multiplier=Multiplier(27, 18, least_product=9, unsigned=False, holds_result=False),
)
