"""Dropout that draws its noise four elements at a time: torch's own took a third of a training step on a CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_LEVELS = 1 << 16


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, probability: float) -> Tensor:
        """Zeroes elements where 16 random bits, read as a number, fall below the threshold; scales the others."""
        count, dropped = values.numel(), round(probability * _LEVELS)
        words = torch.empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
        kept = words.view(torch.int16)[:count].view(values.shape) >= dropped - _LEVELS // 2
        factor = kept.to(values.dtype).mul_(_LEVELS / (_LEVELS - dropped))
        ctx.save_for_backward(factor)
        return values * factor

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        """The same factor as forward."""
        (factor,) = ctx.saved_tensors
        return slope * factor, None


def dropout(values: Tensor, probability: float, training: bool) -> Tensor:
    """What `torch.nn.functional.dropout` does, with the probability rounded to a multiple of 1/65536.

    The noise comes from torch's global generator.
    """
    if not training or probability == 0.0:
        return values
    dropped: Tensor = _Dropout.apply(values, probability)  # type: ignore[no-untyped-call]
    return dropped
