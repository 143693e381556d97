"""The bundle: everything a user needs to check and synthesise a design without us, as one deterministic zip."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from hwgen.errors import HwgenError
from hwgen.hardware.design import Design, Endpoint, Stream, run_reference
from hwgen.hardware.emit.shell import shells
from hwgen.hardware.emit.text import Emission, emit
from hwgen.hardware.library import RTL_DIRECTORY, stream_ports
from hwgen.hardware.streams import StreamType, Words, beat_bytes
from hwgen.numbers.arrays import Array
from hwgen.simulation.build import HARNESS_SOURCES
from hwgen.simulation.compile import RUNTIME_DIRECTORY, VERILATOR_FLAGS
from hwgen.simulation.measurement import Measurement
from hwgen.simulation.simulate import SimulationOptions, check_of, plan_head, stream_line
from hwgen.tools import ecp5

FILES_DIRECTORY = Path(__file__).parent / "bundle_files"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip format's first date: equal designs give equal bytes


def write_bundle(
    path: Path,
    design: Design,
    inputs: Mapping[str, Words],
    measured: Measurement,
    options: SimulationOptions | None = None,
    expected: Mapping[str, Words] | None = None,
    rtl_directory: Path = RTL_DIRECTORY,
    parts: Mapping[int, str] | None = None,
) -> None:
    """Write the bundle of a simulated design.

    Args:
        path: the zip; replaced at once when complete.
        design: a verified design.
        inputs: words of each entering stream, by stream name, as they were simulated.
        measured: the simulation's figures, which ``make sim`` must print again.
        options: stalls of that simulation.
        expected: words of every stream; computed by the reference when absent.
        rtl_directory: the RTL library.
        parts: for which ECP5 part ``make route`` routes a device, by its index; the largest where it is left out.

    Raises:
        HwgenError: the simulation was not exact, so there is nothing to hand out.
    """
    if not measured.exact:
        raise HwgenError(f"{design.name}: only an exact simulation is exported, not: {pass_line(measured)}")
    expected = expected if expected is not None else run_reference(design, inputs)
    files = bundle_files(design, expected, measured, options or SimulationOptions(), rtl_directory, parts)
    scratch = path.with_name(f".{path.name}.part")
    with zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[name])
    scratch.rename(path)


def bundle_files(
    design: Design,
    expected: Mapping[str, Words],
    measured: Measurement,
    options: SimulationOptions,
    rtl_directory: Path = RTL_DIRECTORY,
    parts: Mapping[int, str] | None = None,
) -> dict[str, bytes]:
    """The content of a bundle by path; the arguments are those of ``write_bundle``."""
    emission = emit(design)
    files = {name: text.encode() for name, text in emission.files(rtl_directory).items()}
    for _, stream in design.boundary(design.instances):
        files |= vector_files(stream, expected[stream.name])
    files["signature.json"] = (json.dumps(emission.signature, indent=2) + "\n").encode()
    files |= {f"sim/{name}": text.encode() for name, text in _harness(design, emission.top, options).items()}
    files |= {f"route/{name}": text.encode() for name, text in _route_files(design, emission, parts or {}).items()}
    files["Makefile"] = (FILES_DIRECTORY / "Makefile").read_bytes()
    files["README.md"] = _readme(emission, measured).encode()
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    files["manifest.json"] = (json.dumps({"files": digests}, indent=2) + "\n").encode()
    return files


def pass_line(measured: Measurement) -> str:
    """What ``make sim`` prints for a measurement."""
    return (
        f"{'PASS' if measured.exact else 'FAIL'} compared={measured.compared_words} "
        f"mismatched={measured.mismatched_words} latency_cycles={measured.latency_cycles} "
        f"interval_cycles={measured.interval_cycles or 0}"
    )


def vector_files(stream: Stream, words: Words) -> dict[str, bytes]:
    """The vector files of one stream: words as ``.npy``, beats as ``.mem``; exponents have a ``.npy`` of their own."""
    files = {
        f"vectors/{stream.name}.npy": _npy(words.elements),
        f"vectors/{stream.name}.mem": beat_lines(words, stream.type).encode(),
    }
    if words.exponents is not None:
        files[f"vectors/{stream.name}_exponents.npy"] = _npy(words.exponents)
    return files


def beat_lines(words: Words, kind: StreamType) -> str:
    """One hexadecimal beat a line, all samples one after another, as ``$readmemh`` reads it."""
    beats = np.frombuffer(beat_bytes(words, kind), dtype=np.uint8).reshape(-1, kind.container_bytes)
    digits = -(-kind.payload_bits // 4)
    return "".join(f"{beat[::-1].tobytes().hex()[-digits:]}\n" for beat in beats)


def _npy(values: Array) -> bytes:
    narrow = values.astype("<i4")
    stored = narrow if np.array_equal(narrow, values) else values.astype("<i8")
    target = io.BytesIO()
    np.lib.format.write_array(target, np.ascontiguousarray(stored), version=(1, 0), allow_pickle=False)
    return target.getvalue()


def _harness(design: Design, top: str, options: SimulationOptions) -> dict[str, str]:
    files = {name: (RUNTIME_DIRECTORY / name).read_text() for name in (*HARNESS_SOURCES, "wrapper.cpp")}
    external = design.boundary(design.instances)
    ports = [port for direction, stream in external for port in stream_ports(stream.name, direction)]
    files["ports.inc"] = "".join(f"HEADRACE_PORT({port})\n" for port in ("rst_ni", *ports))
    files["plan.txt"] = "\n".join([*plan_head(options), f"model {top} -", *_stream_lines(design, top)]) + "\n"
    replace = {"@TOP@": top, "@VERILATOR_FLAGS@": " ".join(VERILATOR_FLAGS)}
    return files | {"run.sh": _filled("run.sh", replace)}


def _route_files(design: Design, emission: Emission, parts: Mapping[int, str]) -> dict[str, str]:
    devices = []
    files = {"ecp5.py": Path(ecp5.__file__).read_text(), "flow.py": (FILES_DIRECTORY / "flow.py").read_text()}
    library = [f"rtl/{name}.sv" for name in emission.library]
    for shell in shells(design):
        files[shell.file] = shell.text
        devices.append(
            {
                "device": shell.device,
                "module": shell.module,
                "shell": shell.top,
                "sources": sorted([*library, f"rtl/{shell.module}.sv"]),
                "part": parts.get(shell.device, ecp5.DEFAULT_PART),
                "shell_lut": shell.lut,
                "shell_ff": shell.ff,
            }
        )
    return files | {"devices.json": json.dumps(devices, indent=2) + "\n"}


def _stream_lines(design: Design, top: str) -> Iterator[str]:
    for direction, stream in design.boundary(design.instances):
        kind, end = stream.type, Endpoint(top, stream.name)
        producer, consumer = (None, end) if direction == "in" else (end, None)
        beats = Path("vectors") / f"{stream.name}.mem"
        yield stream_line(stream, producer, consumer, beats, check_of(design, stream))
        exponents = f"vectors/{stream.name}_exponents.npy" if kind.exponents_per_beat else "-"
        yield (
            f"words {beats} {kind.container_bytes} vectors/{stream.name}.npy {kind.lanes} {kind.element_bits} "
            f"{exponents} {kind.exponents_per_beat} {kind.exponent_bits}"
        )


def _filled(name: str, replace: Mapping[str, str]) -> str:
    text = (FILES_DIRECTORY / name).read_text()
    for mark, value in replace.items():
        text = text.replace(mark, value)
    return text


def _readme(emission: Emission, measured: Measurement) -> str:
    rows = [
        "| stream | direction | lanes | format | tokens × features | beats per sample |",
        "|---|---|---|---|---|---|",
    ]
    for s in emission.signature["streams"]:
        form = s["format"]
        sign = "signed" if form["signed"] else "unsigned"
        text = f"{sign} {form['bits']} bits, {form['fraction_bits']} fraction bits"
        if "block" in form:
            text = (
                f"shared exponent: {form['bits']}-bit mantissas, {form['exponent_bits']}-bit exponent per "
                f"{form['block']}, {form['fraction_bits']} fraction bits"
            )
        shape = " × ".join(map(str, s["shape"]))
        rows.append(f"| `{s['name']}` | {s['direction']} | {s['lanes']} | {text} | {shape} | {s['beats']} |")
    exponents = any(s["exponents_per_beat"] for s in emission.signature["streams"])
    replace = {
        "@TOP@": emission.top,
        "@PASS@": pass_line(measured),
        "@PART@": ecp5.DEFAULT_PART,
        "@INSTALL@": ecp5.INSTALL,
        "@STREAMS@": "\n".join(rows),
        "@EXPONENTS@": ", shared exponents are above the lanes" if exponents else "",
    }
    return _filled("README.md", replace)
