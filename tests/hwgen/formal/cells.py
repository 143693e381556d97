"""The proofs of the handshake cells, and one planted bug for each."""

from __future__ import annotations

from tests.hwgen.formal.prove import Fault, Proof

SPILL = ("head_valid_q", "spill_valid_q", "head_q", "spill_q", "head_last_q", "spill_last_q")


def spill_register(fault: Fault | None = None) -> Proof:
    return Proof("dse_spill_register", (), {"Width": 2}, {}, SPILL, fault=fault)


def fifo(depth: int, fault: Fault | None = None) -> Proof:
    uses = ("dse_spill_register",)
    if depth <= 2:
        exposed = tuple(f"gen_registers.u_spill.{name}" for name in SPILL)
        return Proof(
            "dse_fifo", uses, {"Width": 2, "Depth": depth}, {"DEPTH": depth, "REGISTERS": 1}, exposed, fault=fault
        )
    registers = ("head_valid_q", "head_q", "count_q", "read_addr_q", "write_addr_q")
    return Proof(
        "dse_fifo",
        uses,
        {"Width": 2, "Depth": depth},
        {"DEPTH": depth},
        tuple(f"gen_memory.{name}" for name in registers),
        tuple(f"gen_memory.memory[{i}]" for i in range(depth - 1)),
        3,
        fault,
    )


def credit_fifo(depth: int, fault: Fault | None = None) -> Proof:
    return Proof(
        "dse_credit_fifo",
        (),
        {"Width": 2, "Depth": depth},
        {"DEPTH": depth},
        ("head_valid_q", "head_q", "count_q", "taken_q", "read_addr_q", "write_addr_q"),
        tuple(f"memory[{i}]" for i in range(depth)),
        3,
        fault,
    )


def fork(copies: int, fault: Fault | None = None) -> Proof:
    exposed = ("done_q", *(f"u_in.{name}" for name in SPILL))
    return Proof(
        "dse_fork", ("dse_spill_register",), {"Width": 2, "Copies": copies}, {"COPIES": copies}, exposed, fault=fault
    )


def join(fault: Fault | None = None) -> Proof:
    # Nothing reads the last flag of stream b, so synthesis has removed its registers.
    exposed = tuple(f"u_a.{name}" for name in SPILL) + tuple(f"u_b.{name}" for name in SPILL[:4])
    return Proof("dse_join", ("dse_spill_register",), {"AWidth": 2, "BWidth": 2}, {}, exposed, fault=fault)


def adapter(in_units: int, out_units: int, fault: Fault | None = None) -> Proof:
    parameters = {"InUnits": in_units, "OutUnits": out_units, "UnitWidth": 2}
    defines = {"IN_UNITS": in_units, "OUT_UNITS": out_units}
    if out_units == 1:
        defines["TAKE"] = 1
        registers = "units_q", "count_q", "left_q", "beat_last_q", "front_valid_q", "front_q", "front_last_q", "empty_q"
        exposed = tuple(f"gen_take.{name}" for name in registers)
    elif in_units == 1:
        defines["APPEND"] = 1
        registers = "units_q", "count_q", "spare_valid_q", "spare_q", "last_q"
        exposed = tuple(f"gen_append.{name}" for name in registers)
    else:
        exposed = tuple(f"gen_regroup.{name}" for name in ("data_q", "last_q", "count_q"))
    return Proof("dse_adapter", ("dse_spill_register",), parameters, defines, exposed, fault=fault)


QUICK = (
    spill_register(), fifo(1), fifo(2), fifo(3), fifo(4), fifo(5), fork(2), join(), adapter(2, 3), adapter(3, 2),
    credit_fifo(2), credit_fifo(3), credit_fifo(4),
    adapter(3, 1), adapter(1, 3),
)  # fmt: skip

FULL = (
    *(
        adapter(i, o)
        for i in range(1, 6)
        for o in range(1, 6)
        if (i, o) not in {(1, 1), (2, 3), (3, 2), (3, 1), (1, 3)}
    ),
    *(fifo(depth) for depth in (6, 7, 8, 9)),
    *(credit_fifo(depth) for depth in (5, 6, 7, 8)),
    *(fork(copies) for copies in (3, 4)),
)

FAULTS = (
    spill_register(Fault("dse_spill_register.sv", "push && head_valid_q && !pop", "push && head_valid_q")),
    fifo(4, Fault("dse_fifo.sv", "count_q != CountWidth'(MemoryDepth)", "1'b1")),
    credit_fifo(3, Fault("dse_credit_fifo.sv", "taken != CountWidth'(Depth)", "taken_q != CountWidth'(Depth)")),
    fork(2, Fault("dse_fork.sv", "all_done ? '0 : done_q | out_ready_i", "all_done ? '0 : out_ready_i")),
    join(Fault("dse_join.sv", "pop         = out_valid_o && out_ready_i", "pop         = out_ready_i")),
    adapter(3, 1, Fault("dse_adapter.sv", "left_q      <= direct", "left_q      <= push && !front_valid_q")),
    adapter(1, 3, Fault("dse_adapter.sv", "(spare_valid_q || (push && full))", "(push && full)")),
    adapter(2, 3, Fault("dse_adapter.sv", "CountWidth'(Capacity - InUnits)", "CountWidth'(Capacity - InUnits + 1)")),
)
