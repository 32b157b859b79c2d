"""CORL's Decision Transformer, the peer that `benchmarks.dt` measures ours against; no line of it is kept here.

It is one file, algorithms/offline/dt.py of https://github.com/tinkoff-ai/CORL (Apache 2.0). Model and evaluation
are called as they are. Its training loop is one function together with data set, logging and evaluation, so one update
of it is written out below. What the file imports and neither needs (d4rl, gym, pyrallis, wandb, tqdm) is stood in for
while it is read.
"""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.startup import PEERS
from reproductions.dt_random.batches import StepSampler, Windows
from reproductions.dt_random.decision_transformer import RETURN_SCALE, DecisionTransformer, Sizes
from reproductions.dt_random.physics import TASKS
from reproductions.dt_random.training import Schedule

ADDRESS = "https://github.com/tinkoff-ai/CORL"
FILE = "algorithms/offline/dt.py"
STOOD_IN = ("d4rl", "gym", "pyrallis", "wandb", "tqdm", "tqdm.auto")


def source(named: str | None) -> tuple[str, str]:
    """The text of CORL's file, and which version of it.

    Args:
        named: the file itself, or a clone (with or without a work tree). None: KB_CORL, else a clone in
            .venv-peers, made at the first call.
    """
    place = Path(named or os.environ.get("KB_CORL") or PEERS / "CORL")
    if place.is_file():
        return place.read_text("utf-8"), place.name
    if not place.is_dir() and not named and not os.environ.get("KB_CORL"):
        print(f"cloning CORL into {PEERS.name} (once)", file=sys.stderr)
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", ADDRESS, str(place)], check=False)
    git = ["git", "-C", str(place)]
    shown = subprocess.run([*git, "show", f"HEAD:{FILE}"], capture_output=True, text=True, check=False)
    if shown.returncode:
        sys.exit(f"no {FILE} in {place}: git clone {ADDRESS}, and name the clone with --corl or KB_CORL")
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    return shown.stdout, head.stdout.strip()


def load(text: str) -> Any:
    """CORL's file as a module."""
    before = {name: sys.modules.get(name) for name in STOOD_IN}
    for name in STOOD_IN:
        sys.modules[name] = types.ModuleType(name)
    sys.modules["gym"].Env = object  # type: ignore[attr-defined]
    sys.modules["pyrallis"].wrap = lambda: lambda function: function  # type: ignore[attr-defined]
    for name, function in (("tqdm", iter), ("trange", range)):
        setattr(sys.modules["tqdm.auto"], name, function)
    module = types.ModuleType("corl_dt")
    sys.modules[module.__name__] = module  # where its data classes look for their own module
    try:
        exec(compile(text, FILE, "exec"), module.__dict__)
    finally:
        for name, earlier in before.items():
            del sys.modules[name]
            if earlier is not None:
                sys.modules[name] = earlier
    return module


def model(corl: Any, sampler: StepSampler, sizes: Sizes, seed: int) -> nn.Module:
    """CORL's network in the given sizes, from its own initialisation."""
    torch.manual_seed(seed)
    made: nn.Module = corl.DecisionTransformer(
        state_dim=sampler.states.shape[1],
        action_dim=sampler.actions.shape[1],
        seq_len=sizes.context,
        episode_len=sizes.episode_steps,
        embedding_dim=sizes.width,
        num_layers=sizes.layers,
        num_heads=sizes.heads,
        attention_dropout=sizes.dropout,
        residual_dropout=sizes.dropout,
        embedding_dropout=sizes.dropout,
    )
    return made


def as_the_paper(network: nn.Module) -> None:
    """Gives CORL's network what the paper's code has and it has not: where it begins, and relu.

    CORL draws every layer with a standard deviation of 0.02 and uses GELU. In the paper's code that is so inside the
    transformer only; embeddings and the action head begin as torch has them, the time embedding with a deviation of 1.
    """
    their: Any = network
    for layer in (
        their.timestep_emb,
        their.return_emb,
        their.state_emb,
        their.action_emb,
        their.action_head[0],
    ):
        layer.reset_parameters()
    for block in their.blocks:
        block.mlp[1] = nn.ReLU()


def twin(corl: Any, ours: DecisionTransformer, sampler: StepSampler) -> nn.Module:
    """CORL's network with our weights, and relu as in the paper where CORL has GELU: the same function as ours."""
    made = model(corl, sampler, ours.sizes, seed=0)
    weights = {name: tensor for name, tensor in made.state_dict().items() if "causal_mask" in name}
    weights["timestep_emb.weight"] = made.state_dict()["timestep_emb.weight"].clone()
    weights["timestep_emb.weight"][: ours.sizes.episode_steps] = ours.embed_t.weight
    pairs: dict[str, nn.Module] = {
        "return_emb": ours.embed_R,
        "state_emb": ours.embed_s,
        "action_emb": ours.embed_a,
        "emb_norm": ours.embed_norm,
        "out_norm": ours.final_norm,
        "action_head.0": ours.pred_a,
    }
    for number, block in enumerate(ours.blocks):
        own: Any = block
        here = f"blocks.{number}"
        pairs |= {
            f"{here}.norm1": own.attention_norm,
            f"{here}.attention.out_proj": own.attention_out,
            f"{here}.norm2": own.mlp_norm,
            f"{here}.mlp.0": own.mlp_in,
            f"{here}.mlp.2": own.mlp_out,
        }
        for kind in ("weight", "bias"):
            both = [getattr(own.query, kind), getattr(own.key_value, kind)]
            weights[f"{here}.attention.in_proj_{kind}"] = torch.cat(both)
        their: Any = made
        their.blocks[number].mlp[1] = nn.ReLU()
    for name, layer in pairs.items():
        weights |= {f"{name}.{kind}": tensor for kind, tensor in layer.state_dict().items()}
    made.load_state_dict({name: tensor.detach().clone() for name, tensor in weights.items()})
    return made


class Updates:
    """One update after the other, as the loop of CORL's `train` makes them."""

    def __init__(self, network: nn.Module, schedule: Schedule) -> None:
        self.network, self.schedule = network.train(), schedule
        self.optimiser = torch.optim.AdamW(
            network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimiser, schedule.factor)

    def update(self, batch: tuple[Tensor, ...]) -> float:
        """One update; its loss, a mean over all steps of the batch, padding counted as no error."""
        states, actions, returns, steps, mask = batch
        predicted = self.network(states, actions, returns, steps, padding_mask=~mask.to(torch.bool))
        errors = functional.mse_loss(predicted, actions, reduction="none")
        loss = (errors * mask.unsqueeze(-1)).mean()
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        assert self.schedule.largest_gradient is not None
        nn.utils.clip_grad_norm_(self.network.parameters(), self.schedule.largest_gradient)
        self.optimiser.step()
        self.scheduler.step()
        return loss.item()


def batch_of(windows: Windows) -> tuple[Tensor, ...]:
    """Our windows as CORL's loader hands a batch on; it makes its mask in double precision."""
    mask = windows.valid.double()
    return windows.states, windows.actions, windows.returns_to_go, windows.timesteps, mask


class OneEnvironment:
    """gymnasium's environment behind what CORL's `eval_rollout` calls: states standardised, rewards scaled."""

    def __init__(self, environment: str, sampler: StepSampler) -> None:
        import gymnasium

        self.inner = gymnasium.make(TASKS[environment].gymnasium_id, disable_env_checker=True)
        self.mean, self.deviation = sampler.state_mean.numpy(), sampler.state_deviation.numpy()
        self.seed = 0

    def reset(self) -> np.ndarray[Any, Any]:
        """The first state of the episode that `seed` decides."""
        return self._standardised(self.inner.reset(seed=self.seed)[0])

    def step(self, action: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], float, bool, dict[str, Any]]:
        """One step, in the four values of the old interface."""
        state, reward, terminated, truncated, info = self.inner.step(action)
        return self._standardised(state), float(reward) / RETURN_SCALE, terminated or truncated, info

    def _standardised(self, state: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return (state - self.mean) / self.deviation
