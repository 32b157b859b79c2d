"""One training loop for the Decision Transformer and its baselines: schedule, precision, checkpoint, exact
resume.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Model = TypeVar("Model", bound=nn.Module)
Loss = Callable[[torch.Generator], Tensor]
"""Draws a batch with the generator and returns the mean loss on it."""


@dataclass(frozen=True)
class Schedule:
    """Optimisation settings; the defaults are the paper's for Gym (appendix A.2) and the authors' scripts."""

    updates: int = 100_000
    batch: int = 64
    learning_rate: float = 1e-4
    weight_decay: float = 1e-4
    warmup: int = 10_000
    """Updates over which the learning rate rises linearly from 0."""
    cosine: bool = False
    """Whether it then falls to 0 along a half cosine (a departure) instead of staying."""
    largest_gradient: float | None = 0.25
    """Norm to which gradients are cut; None: no cut."""

    def factor(self, update: int) -> float:
        """Share of the learning rate at `update` (from 0)."""
        rising = min((update + 1) / max(self.warmup, 1), 1.0)
        if not self.cosine or update < self.warmup:
            return rising
        progress = (update - self.warmup) / max(self.updates - self.warmup, 1)
        return 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def processor_has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 matrices in hardware (AVX-512 BF16 or AMX)."""
    if torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        probes = (
            getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        )
        return any(probe() for probe in probes if probe is not None)
    return False


class CheckpointError(ValueError):
    """A checkpoint that cannot be continued from; the message is one line and says what to do."""


class Training:
    """Minimises `loss` over the parameters of `model`; the whole state can be saved and continued exactly."""

    def __init__(
        self, model: nn.Module, loss: Loss, schedule: Schedule, seed: int, bfloat16: bool = False
    ) -> None:
        """`seed` decides batches and dropout; the caller initialises the model (see `seeded`)."""
        self.model, self.loss, self.schedule, self.bfloat16 = model, loss, schedule, bfloat16
        self.optimiser = torch.optim.AdamW(
            model.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, fused=True
        )
        self.batches = torch.Generator().manual_seed(seed)
        self.dropout_state = torch.Generator().manual_seed(seed + 1).get_state()
        self.update = 0
        self.recent_loss = math.nan
        """Mean loss of the last call of `run`."""

    def run(self, updates: int) -> float:
        """Makes up to `updates` more updates, not beyond the schedule; returns their mean loss."""
        last = min(self.update + updates, self.schedule.updates)
        total, first = torch.zeros(()), self.update
        self.model.train()
        with torch.random.fork_rng(devices=[]):  # dropout draws from its own stream, whatever else runs here
            torch.set_rng_state(self.dropout_state)
            while self.update < last:
                total += self._step()
            self.dropout_state = torch.get_rng_state()
        self.model.eval()
        self.recent_loss = float(total) / max(self.update - first, 1)
        return self.recent_loss

    def _step(self) -> Tensor:
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.learning_rate * self.schedule.factor(self.update)
        precision: Any = (
            torch.autocast("cpu", dtype=torch.bfloat16) if self.bfloat16 else contextlib.nullcontext()
        )
        with precision:
            loss = self.loss(self.batches)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.schedule.largest_gradient is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.schedule.largest_gradient, foreach=True)
        self.optimiser.step()
        self.update += 1
        return loss.detach().float()

    def save(self, path: Path) -> None:
        """Writes the state in one go: a reader sees the old file or the new one, never half of it."""
        state = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "batches": self.batches.get_state(),
            "dropout": self.dropout_state,
            "update": self.update,
            "recent_loss": self.recent_loss,
            "bfloat16": self.bfloat16,
        }
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        torch.save(state, part)
        part.replace(path)

    def restore(self, path: Path) -> None:
        """Continues from `path`; training then goes on as if it had never stopped."""
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            precision = state["bfloat16"]
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise CheckpointError(
                f"{path} is not a usable checkpoint ({reason}); delete it to start over"
            ) from error
        if precision != self.bfloat16:
            raise CheckpointError(
                f"{path} was trained {'with' if precision else 'without'} bfloat16; "
                "continue it on such a machine or delete it to start over"
            )
        try:
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise CheckpointError(
                f"{path} belongs to a model of other sizes; delete it to start over"
            ) from error
        self.batches.set_state(state["batches"])
        self.dropout_state = state["dropout"]
        self.update, self.recent_loss = state["update"], state["recent_loss"]


def seeded(make: Callable[[], Model], seed: int) -> Model:
    """A freshly initialised model whose weights depend on `seed` alone; it leaves the global stream
    untouched.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make().eval()
