"""Detail of transformer designs as the service would tell it: names and wires of a real one, figures by simple laws."""

from __future__ import annotations

from typing import Any

TOKENS, WIDTH = 32, 64
BITS = 8
U250 = {"lut": 1_728_000, "ff": 3_456_000, "dsp": 12_288, "bram_kb": 96_768}
SIMULATED_SAMPLES = 4

# Operator of a block -> (module, multiplications for one token, input and output lanes, operators it reads).
BLOCK: dict[str, tuple[str, int, tuple[int, int], tuple[str, ...]]] = {
    "layer_norm_a": ("dse_layer_norm", WIDTH, (8, 8), ("in",)),
    "linear_qkv": ("dse_matvec", 3 * WIDTH * WIDTH, (8, 8), ("layer_norm_a",)),
    "linear_qkv_fork": ("dse_fork3", 3 * WIDTH, (8, 8), ("linear_qkv",)),
    "slice_q": ("dse_slice", 3 * WIDTH, (8, 8), ("linear_qkv_fork",)),
    "slice_k": ("dse_slice", 3 * WIDTH, (8, 8), ("linear_qkv_fork",)),
    "slice_v": ("dse_slice", 3 * WIDTH, (8, 8), ("linear_qkv_fork",)),
    "matmul_scores": ("dse_matmul", 16 * WIDTH, (8, 4), ("slice_q", "slice_k")),
    "softmax": ("dse_softmax", 4 * TOKENS, (4, 4), ("matmul_scores",)),
    "matmul_mix_b_fifo": ("dse_fifo", WIDTH, (8, 8), ("slice_v",)),
    "matmul_mix": ("dse_matmul", 16 * WIDTH, (8, 4), ("softmax", "matmul_mix_b_fifo")),
    "linear_out": ("dse_matvec", WIDTH * WIDTH, (8, 8), ("matmul_mix",)),
    "add_a_b_fifo": ("dse_fifo", WIDTH, (8, 8), ("in",)),
    "add_a": ("dse_eltwise", WIDTH, (8, 8), ("linear_out", "add_a_b_fifo")),
    "add_a_fork": ("dse_fork2", WIDTH, (8, 8), ("add_a",)),
    "layer_norm_b": ("dse_layer_norm", WIDTH, (8, 8), ("add_a_fork",)),
    "linear_up": ("dse_matvec", 4 * WIDTH * WIDTH, (8, 8), ("layer_norm_b",)),
    "pointwise": ("dse_table", 4 * WIDTH, (8, 8), ("linear_up",)),
    "linear_down": ("dse_matvec", 4 * WIDTH * WIDTH, (8, 8), ("pointwise",)),
    "add_b_b_fifo": ("dse_fifo", WIDTH, (8, 8), ("add_a_fork",)),
    "add_b": ("dse_eltwise", WIDTH, (8, 8), ("linear_down", "add_b_b_fifo")),
    "add_b_fork": ("dse_fork2", WIDTH, (8, 8), ("add_b",)),
}
HELPERS = ("_fork", "_fifo")


def _source(name: str) -> str:
    for ending in (*HELPERS, "_b"):
        name = name.removesuffix(ending) if ending in HELPERS else name
    return name.removesuffix("_b") if name.endswith(("add_a_b", "add_b_b", "mix_b")) else name


def operator(name: str, module: str, work: int, lanes: tuple[int, int], device: int) -> dict[str, Any]:
    """One operator of the detail; its activity follows in ``with_activity``."""
    per_cycle = lanes[0] * lanes[1] if module in ("dse_matvec", "dse_matmul") else lanes[0]
    interval = max(TOKENS * work // per_cycle, 1)
    multipliers = lanes[0] * lanes[1] if module in ("dse_matvec", "dse_matmul") else 0
    parameters = {"InLanes": lanes[0], "OutLanes": lanes[1], "InWidth": BITS, "OutWidth": BITS}
    if module == "dse_fifo":
        parameters = {"Width": BITS * lanes[0], "Depth": 512}
    return {
        "name": name,
        "source": _source(name),
        "device": device,
        "role": {"dse_fifo": "buffer", "dse_link": "link"}.get(module, "operator"),
        "module": module,
        "parameters": parameters,
        "in_lanes": lanes[0],
        "out_lanes": lanes[1],
        "model_interval_cycles": interval,
        "model_latency_cycles": interval + 40,
        "est_lut": 90.0 + 26 * multipliers + 18 * lanes[0],
        "est_ff": 120.0 + 31 * multipliers + 22 * lanes[0],
        "est_dsp": float(multipliers // 2 if module == "dse_matvec" else 0),
        "est_bram_kb": 36.0 if module in ("dse_matvec", "dse_fifo") else 0.0,
    }


def with_activity(operators: list[dict[str, Any]]) -> None:
    """What waits for the slowest: before it operators are blocked, behind it they are starved."""
    worst = max(range(len(operators)), key=lambda i: operators[i]["model_interval_cycles"])
    total = operators[worst]["model_interval_cycles"] * SIMULATED_SAMPLES
    for place, one in enumerate(operators):
        busy = min(total, one["model_interval_cycles"] * SIMULATED_SAMPLES * 9 // 10)
        rest = total - busy
        one["busy_cycles"] = busy
        one["blocked_cycles"] = rest * 3 // 4 if place < worst else rest // 12
        one["starved_cycles"] = rest - one["blocked_cycles"] - rest // 20
        one["high_water_beats"] = 40 + 3 * place % 200


def stream(name: str, source: str | None, target: str | None, lanes: int = 8, width: int = WIDTH) -> dict[str, Any]:
    """One stream of the detail."""
    return {
        "name": name,
        "producer": source,
        "consumer": target,
        "lanes": lanes,
        "format": f"int{BITS}",
        "bits": BITS * lanes,
        "beats": TOKENS * width // lanes,
        "transfers": TOKENS * width // lanes * SIMULATED_SAMPLES,
    }


def transformer(blocks: int, devices: int = 1) -> dict[str, Any]:
    """The detail of a design of so many blocks, cut evenly over devices."""
    operators = [operator("embedding1", "dse_embedding", WIDTH, (1, 8), 0)]
    streams = [stream("tokens", None, "embedding1", 1, 1)]
    last = "embedding1"
    for block in range(blocks):
        device = block * devices // blocks
        if device != operators[-1]["device"]:
            link = operator(f"{last}_link{device - 1}to{device}", "dse_link", WIDTH, (8, 8), device - 1)
            link["source"] = _source(last)
            operators.append(link)
            streams.append(stream(f"{link['name']}_in", last, link["name"]))
            fork = operator(f"{link['name']}_fork", "dse_fork2", WIDTH, (8, 8), device)
            fork["source"] = link["source"]
            operators.append(fork)
            streams.append(stream(f"{fork['name']}_in", link["name"], fork["name"]))
            last = fork["name"]
        names = {"in": last} | {name: f"block{block + 1}_{name}" for name in BLOCK}
        for name, (module, work, lanes, reads) in BLOCK.items():
            operators.append(operator(names[name], module, work, lanes, device))
            streams += [
                stream(f"{names[name]}_{port}", names[read], names[name], lanes[0])
                for port, read in zip("ab", reads, strict=False)
            ]
        last = names["add_b_fork"]
    operators += [
        operator("layer_norm_last", "dse_layer_norm", WIDTH, (8, 8), devices - 1),
        operator("linear_head", "dse_matvec", WIDTH * 104, (8, 4), devices - 1),
    ]
    streams += [
        stream("layer_norm_last_in", last, "layer_norm_last"),
        stream("linear_head_in", "layer_norm_last", "linear_head"),
        stream("scores", "linear_head", None, 4, 104),
    ]
    with_activity(operators)
    return {
        "operators": operators,
        "streams": streams,
        "devices": [_device(index, operators) for index in range(devices)],
        "hops": [
            {
                "from": index,
                "to": index + 1,
                "streams": 1,
                "bytes_per_inference": TOKENS * WIDTH * BITS / 8,
                "bits_per_cycle": 333.3,
                "least_interval_cycles": 50,
            }
            for index in range(devices - 1)
        ],
    }


def _device(index: int, operators: list[dict[str, Any]]) -> dict[str, Any]:
    here = [one for one in operators if one["device"] == index]
    used = {name: sum(one[f"est_{name}"] for one in here) for name in U250}
    return {
        "index": index,
        "device": "u250",
        "used": used,
        "share": {name: round(value / U250[name], 4) for name, value in used.items()},
    }


def plans(detail: dict[str, Any], bits: int) -> dict[str, Any]:
    """A candidate that names the nodes of a detail, its weights of so many bits."""
    computing = {o["source"]: o for o in detail["operators"] if o["module"] not in ("dse_fifo", "dse_link")}
    with_lanes = {n: o for n, o in computing.items() if "InLanes" in o["parameters"]}
    return {
        "quantization": {
            n: {"weight": f"int{bits}" if "linear" in n or "embedding" in n else None, "activation": f"int{BITS}"}
            for n in computing
        },
        "parallelism": {
            n: {"in_lanes": o["parameters"]["InLanes"], "out_lanes": o["parameters"]["OutLanes"]}
            for n, o in with_lanes.items()
        },
        "partition": {n: o["device"] for n, o in computing.items()},
    }
