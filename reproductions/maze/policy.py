"""The IMPALA-like policy network, with modules named as in the published one, and hooks on any of them.

Architecture of Espeholt et al. 2018 (arXiv 1802.01561) as used by Langosco et al. 2022 (arXiv 2105.14111) for the
mazes: three blocks of convolution, max pooling and residual blocks, then two linear layers. Turner et al. 2023 name
its parts block1.conv, block1.maxpool, block1.res1.resadd and so on; so does this module, and their weights fit
`PUBLISHED` (see `published`).

Pictures come as the environment draws them: shape (n, 64, 64, 3), uint8.
"""

from __future__ import annotations

import contextlib
import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from reproductions.maze.environment import ACTIONS, GROUPS
from reproductions.maze.state import MazeError

PIXELS = 64
Edit = Callable[[Tensor], Tensor]
"""From a layer's activations, shape (n, channels, height, width) or (n, features), to edited ones."""


@dataclass(frozen=True)
class Architecture:
    """The sizes of a network."""

    tiles: int | None
    """Cells across the world: pictures are first resampled to 2 pixels a cell, so that block1 gives one location
    for each cell. None: the picture as it is."""
    channels: tuple[int, ...] = (32, 32, 32)
    """Of each block."""
    residuals: tuple[int, ...] = (3, 2, 2)
    """Residual blocks of each block."""
    hidden: int = 256
    value: bool = False
    """Whether there is a value head, as reinforcement learning needs."""

    @property
    def side(self) -> int:
        """Pixels across what the first convolution sees."""
        return PIXELS if self.tiles is None else 2 * self.tiles


PUBLISHED = Architecture(tiles=None, channels=(64, 128, 128), residuals=(2, 2, 2), value=True)
"""The network of Turner et al. 2023: 3.5 million parameters, 15 convolutions."""


class ResidualAdd(nn.Module):
    """The sum that ends a residual block: a module of its own, so that it can be hooked."""

    def forward(self, change: Tensor, before: Tensor) -> Tensor:
        """Both of shape (n, channels, height, width)."""
        return change + before


class ResidualBlock(nn.Module):
    """relu, convolution, relu, convolution, and the sum with what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.resadd = ResidualAdd()

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, channels, height, width) in and out."""
        change: Tensor = self.conv2(self.relu2(self.conv1(self.relu1(x))))
        added: Tensor = self.resadd(change, x)
        return added


class ImpalaBlock(nn.Module):
    """Convolution, max pooling that halves each side, residual blocks res1, res2, ..."""

    def __init__(self, inputs: int, channels: int, residuals: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, channels, 3, padding=1)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self._residuals = [f"res{number}" for number in range(1, residuals + 1)]
        for name in self._residuals:
            self.add_module(name, ResidualBlock(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, inputs, height, width) in, half the height and width out."""
        x = self.maxpool(self.conv(x))
        for name in self._residuals:
            x = getattr(self, name)(x)
        return x


class Embedder(nn.Module):
    """From pictures to `hidden` features."""

    areas: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.resamples = architecture.tiles is not None
        # Not a weight: it follows from the architecture, so no file holds it.
        self.register_buffer("areas", area_weights(PIXELS, architecture.side), persistent=False)
        inputs, side = 3, architecture.side
        self._blocks: list[str] = []
        for number, (channels, residuals) in enumerate(
            zip(architecture.channels, architecture.residuals, strict=True), 1
        ):
            self._blocks.append(f"block{number}")
            self.add_module(self._blocks[-1], ImpalaBlock(inputs, channels, residuals))
            inputs, side = channels, (side + 1) // 2
        self.relu3 = nn.ReLU()
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(inputs * side * side, architecture.hidden)
        self.relufc = nn.ReLU()

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures of shape (n, 64, 64, 3), uint8, to features of shape (n, hidden)."""
        x = pictures.permute(0, 3, 1, 2).float() / 255
        if self.resamples:
            with torch.autocast("cpu", enabled=False):
                x = self.areas @ x @ self.areas.T
        x = x.contiguous(memory_format=torch.channels_last)
        for name in self._blocks:
            x = getattr(self, name)(x)
        features: Tensor = self.relufc(self.fc(self.flatten(self.relu3(x))))
        return features


def area_weights(inputs: int, outputs: int) -> Tensor:
    """The matrix, shape (outputs, inputs), that resamples a row of pixels by the area they cover.

    Nearest pixels would lose sprites: at 2.56 pixels a cell a mouse can fall between them.
    """
    edges = np.linspace(0, inputs, outputs + 1)
    pixels = np.arange(inputs)
    low = np.maximum(edges[:-1, None], pixels)
    high = np.minimum(edges[1:, None], pixels + 1)
    weights = np.clip(high - low, 0, None)
    return torch.tensor(weights / weights.sum(axis=1, keepdims=True), dtype=torch.float32)


class MazePolicy(nn.Module):
    """From pictures to the logits of procgen's 15 actions."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.embedder = Embedder(architecture)
        self.fc_policy = nn.Linear(architecture.hidden, ACTIONS)
        if architecture.value:
            self.fc_value = nn.Linear(architecture.hidden, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.orthogonal_(self.fc_policy.weight, 0.01)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures of shape (n, 64, 64, 3), uint8, to logits of shape (n, 15), float32."""
        logits: Tensor = self.fc_policy(self.embedder(pictures))
        return logits.float()

    def layers(self) -> tuple[str, ...]:
        """The names of the layers that can be read and edited, in the order in which they are computed."""
        named = [name for name, module in self.embedder.named_modules() if not list(module.children())]
        return tuple(name for name in named if name)

    def layer(self, name: str) -> nn.Module:
        """The module of a layer, such as block2.res1.resadd.

        Raises:
            MazeError: with the names that come near.
        """
        known = self.layers()
        if name not in known:
            near = difflib.get_close_matches(name, known, 3) or ["block1.maxpool", "block2.res1.resadd"]
            raise MazeError(f"this network has no layer {name!r}; try {', '.join(near)}")
        return self.embedder.get_submodule(name)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every layer's activations for one picture."""
        kept = self.activations(np.zeros((1, PIXELS, PIXELS, 3), np.uint8), self.layers())
        return {name: tuple(value.shape[1:]) for name, value in kept.items()}

    @contextlib.contextmanager
    def reading(self, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
        """Inside, each forward pass puts the activations of the named layers into the dictionary given."""
        kept: dict[str, Tensor] = {}

        def keep(name: str) -> Callable[..., None]:
            def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
                kept[name] = output

            return hook

        handles = [self.layer(name).register_forward_hook(keep(name)) for name in names]
        try:
            yield kept
        finally:
            for handle in handles:
                handle.remove()

    @contextlib.contextmanager
    def editing(self, edits: Mapping[str, Edit]) -> Iterator[None]:
        """Inside, the activations of the named layers go through their edit before anything else sees them."""

        def hooked(edit: Edit) -> Callable[..., Tensor]:
            def hook(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
                return edit(output)

            return hook

        handles = [self.layer(name).register_forward_hook(hooked(edit)) for name, edit in edits.items()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @torch.inference_mode()
    def activations(self, pictures: np.ndarray[Any, Any], names: Sequence[str]) -> dict[str, Tensor]:
        """The activations of the named layers for pictures of shape (n, 64, 64, 3)."""
        with self.reading(names) as kept:
            self(torch.from_numpy(pictures))
        return {name: kept[name].float() for name in names}

    def save(self, path: Path, facts: Mapping[str, str] | None = None) -> None:
        """Write the weights as safetensors, with the architecture and `facts` in the header."""
        described = {"architecture": json.dumps(asdict(self.architecture)), **(facts or {})}
        tensors = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        half = path.with_name(f"{path.name}.half")
        save_file(tensors, half, described)
        half.replace(path)

    @classmethod
    def load(cls, path: Path) -> MazePolicy:
        """Read what `save` wrote.

        Raises:
            MazeError: when the file is missing, broken or of another shape; one line says which.
        """
        if not path.is_file():
            raise MazeError(f"no weights {path.name}; train them with python -m reproductions.maze.train")
        try:
            with safe_open(path, framework="pt") as file:
                described = (file.metadata() or {}).get("architecture", "")
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no iterator
            sizes = json.loads(described)
            sizes.update(channels=tuple(sizes["channels"]), residuals=tuple(sizes["residuals"]))
            policy = cls(Architecture(**sizes))
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise MazeError(f"{path.name} is no file of a maze policy's weights ({error})") from None
        fit(policy, tensors, path.name)
        return policy.eval()


def fit(policy: MazePolicy, tensors: Mapping[str, Tensor], name: str) -> None:
    """Give a policy its weights.

    Raises:
        MazeError: naming the first tensor that is missing, left over or of another shape.
    """
    wanted = policy.state_dict()
    for key in sorted(wanted.keys() | tensors.keys()):
        if key not in tensors:
            raise MazeError(f"{name} lacks the tensor {key}")
        if key not in wanted:
            raise MazeError(f"{name} has a tensor {key} that this network has not")
        if tensors[key].shape != wanted[key].shape:
            have, want = tuple(tensors[key].shape), tuple(wanted[key].shape)
            raise MazeError(f"{name}: {key} has shape {have}, this network needs {want}")
    policy.load_state_dict(dict(tensors))


def move_logits(logits: Tensor) -> Tensor:
    """Log of the summed probability (up to a constant) of each move: shape (n, 15) to (n, 4), in `GROUPS`' order."""
    return torch.stack([logits[:, list(group)].logsumexp(dim=1) for group in GROUPS], dim=1)


def action_probabilities(logits: Tensor) -> Tensor:
    """Probabilities of left, down, up, right and of staying, shape (n, 5), from logits of shape (n, 15)."""
    probabilities = functional.softmax(logits, dim=1)
    moves = torch.stack([probabilities[:, list(group)].sum(dim=1) for group in GROUPS], dim=1)
    return torch.cat([moves, (1 - moves.sum(dim=1, keepdim=True)).clamp(min=0)], dim=1)
