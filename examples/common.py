"""What the examples share: a text, batches from it, and a small character transformer."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional

CONTEXT = 64


@dataclass(frozen=True)
class Text:
    tokens: torch.Tensor
    vocabulary: int


def load_text() -> Text:
    raw = (Path(__file__).resolve().parent / "data" / "yard.txt").read_text(encoding="utf-8")
    letters = sorted(set(raw))
    index = {letter: position for position, letter in enumerate(letters)}
    return Text(torch.tensor([index[letter] for letter in raw]), len(letters))


def sample_batch(
    text: Text, seed: int, step: int, rank: int, size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Depends on nothing but its arguments, so that a resumed run sees what it would have seen."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + step) * 4_099 + rank)
    starts = torch.randint(len(text.tokens) - CONTEXT - 1, (size,), generator=generator)
    rows = torch.stack([text.tokens[start : start + CONTEXT + 1] for start in starts])
    return rows[:, :-1], rows[:, 1:]


def mean_over_ranks(value: torch.Tensor) -> float:
    """Adds in the order of the ranks: a reduction may add in any order, which shows in the last bit."""
    parts = [torch.empty_like(value) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, value)
    return torch.stack(parts).double().mean().item()


def stop_requested(path: str) -> bool:
    """True on every rank as soon as one of them sees the stop-file: all leave after the same step."""
    seen = torch.tensor([1 if path and os.path.exists(path) else 0])
    dist.all_reduce(seen, op=dist.ReduceOp.MAX)
    return bool(seen.item())


def leave() -> None:
    """Ends the process once every rank is done, and not by the interpreter's own end.

    A thread of gloo that is late to let the last tensors go would abort that ("terminate called
    without an active exception"), and the job, which has all its work done, would have failed.
    """
    dist.barrier()
    dist.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_mlp = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        shape = (batch, length, self.heads, width // self.heads)
        q, k, v = (
            part.view(shape).transpose(1, 2)
            for part in self.qkv(self.norm_attention(x)).chunk(3, dim=-1)
        )
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.mlp(self.norm_mlp(x))


class CharTransformer(nn.Module):
    """Returns the mean cross-entropy of predicting each next character."""

    def __init__(self, vocabulary: int, width: int = 64, depth: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.position = nn.Parameter(torch.zeros(CONTEXT, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        x = self.embed(inputs) + self.position
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
