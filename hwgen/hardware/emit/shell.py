"""The shell of a module for place and route: a top level of five pins, whatever the module's streams are.

No package has pins for wide streams, and a path that ends at a pin says nothing about the clock. So every input comes
from a register of a chain that is shifted in, and every output goes into a register of a chain that is shifted out: a
path from a neighbour's register into the module, and one out of it, count like the paths within.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hwgen.hardware.design import Design, Stream
from hwgen.hardware.emit.signature import device_module, top_module
from hwgen.hardware.library import stream_ports

INSTANCE = "u_dut"


@dataclass(frozen=True)
class Shell:
    """The text around one module.

    Attributes:
        device: index of the device that the module is the content of.
        module: the module that is placed and routed; everything of it has ``u_dut.`` before its name.
        top: name of the shell.
        text: its SystemVerilog.
        lut, ff: cells of the shell itself: a LUT and a register a bit that comes out, a register a bit that goes in,
            and that of the reset.
    """

    device: int
    module: str
    top: str
    text: str
    lut: int
    ff: int

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.top}.sv"


def shells(design: Design) -> list[Shell]:
    """One shell for the module of each device, in the order of their indices.

    The links between devices lie in none of them: they have two ends on two devices.
    """
    found = []
    for device, members in sorted(design.devices.items()):
        module = device_module(design, device) if len(design.devices) > 1 else top_module(design)
        found.append(_shell(device, module, design.boundary(members)))
    return found


def _shell(device: int, module: str, streams: Sequence[tuple[str, Stream]]) -> Shell:
    ports = [port for direction, stream in streams for port in _ports(direction, stream)]
    driven = list(_slices("to_dut_q", [(name, bits) for name, bits, into in ports if into]))
    observed = list(_slices("from_dut", [(name, bits) for name, bits, into in ports if not into]))
    bits_in = sum(bits for _, bits, into in ports if into)
    bits_out = sum(bits for _, bits, into in ports if not into)
    top = f"route_{module}"
    connections = ",\n".join(f"    .{port}({net})" for port, net in [*driven, *observed])
    text = f"""/// Place and route of {module}: registers at all of its ports, shifted in and out. Generated text.
module {top} (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic shift_i,
  output logic shift_o
);

  logic rst_nq;
  logic [{bits_in - 1}:0] to_dut_q;
  logic [{bits_out - 1}:0] from_dut, from_dut_q;

  always_ff @(posedge clk_i) begin
    rst_nq <= rst_ni;
    to_dut_q <= (to_dut_q << 1) | {bits_in}'(shift_i);
    // Each output changes what comes out at the end, so nothing of the module can be left out.
    from_dut_q <= (from_dut_q << 1) ^ from_dut ^ {bits_out}'(to_dut_q[{bits_in - 1}]);
  end
  assign shift_o = from_dut_q[{bits_out - 1}];

  {module} {INSTANCE} (
    .clk_i(clk_i), .rst_ni(rst_nq),
{connections}
  );

endmodule
"""
    return Shell(device, module, top, text, bits_out, bits_in + bits_out + 1)


def _ports(direction: str, stream: Stream) -> list[tuple[str, int, bool]]:
    """Name and width of the ports of a stream, and whether the module reads them."""
    valid, ready, payload, last = stream_ports(stream.name, direction)
    into = direction == "in"
    return [(valid, 1, into), (ready, 1, not into), (payload, stream.type.payload_bits, into), (last, 1, into)]


def _slices(vector: str, ports: Iterable[tuple[str, int]]) -> Iterable[tuple[str, str]]:
    """Each port with its slice of a vector."""
    low = 0
    for name, bits in ports:
        yield name, f"{vector}[{low + bits - 1}:{low}]" if bits > 1 else f"{vector}[{low}]"
        low += bits
