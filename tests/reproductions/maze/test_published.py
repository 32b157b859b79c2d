"""The published network: its size, and checkpoints that are refused. The real file is not here: synthetic ones of the
same shapes stand for it."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reproductions.maze import published
from reproductions.maze.policy import PUBLISHED, MazePolicy
from reproductions.maze.state import MazeError

pytestmark = pytest.mark.experiment

# Names and shapes as the authors' code gives them (block, channels in, channels out).
BLOCKS = ((1, 3, 64), (2, 64, 128), (3, 128, 128))


def synthetic() -> dict[str, torch.Tensor]:
    """A state of the published network, written out by hand."""
    tensors: dict[str, torch.Tensor] = {}

    def layer(name: str, *shape: int) -> None:
        tensors[f"{name}.weight"] = torch.randn(shape) / 50
        tensors[f"{name}.bias"] = torch.zeros(shape[0])

    for block, inputs, outputs in BLOCKS:
        layer(f"embedder.block{block}.conv", outputs, inputs, 3, 3)
        for res in (1, 2):
            for conv in (1, 2):
                layer(f"embedder.block{block}.res{res}.conv{conv}", outputs, outputs, 3, 3)
    layer("embedder.fc", 256, 128 * 8 * 8)
    layer("fc_policy", 15, 256)
    layer("fc_value", 1, 256)
    return tensors


def checkpoint(path: Path, content: object) -> str:
    torch.save(content, path)
    return str(path)


def test_it_has_fifteen_convolutions_and_three_and_a_half_million_parameters() -> None:
    policy = MazePolicy(PUBLISHED)
    assert sum(isinstance(module, nn.Conv2d) for module in policy.modules()) == 15
    assert 3.4e6 < sum(parameter.numel() for parameter in policy.parameters()) < 3.7e6
    assert policy.shapes()["block2.res1.resadd"] == (128, 16, 16)


def test_a_checkpoint_of_its_shapes_loads_and_acts(tmp_path: Path) -> None:
    tensors = synthetic()
    path = checkpoint(
        tmp_path / "model.pth", {"model_state_dict": tensors, "optimizer_state_dict": {"state": {}}}
    )
    policy = published.load(path, tmp_path / "cache")
    assert torch.equal(
        policy.state_dict()["embedder.block3.res2.conv2.weight"], tensors["embedder.block3.res2.conv2.weight"]
    )
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    with torch.inference_mode():
        assert policy(torch.from_numpy(pictures)).shape == (2, 15)


def test_the_first_file_is_pinned_and_another_one_refused(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = checkpoint(tmp_path / "first.pth", {"model_state_dict": synthetic()})
    second = checkpoint(tmp_path / "second.pth", {"model_state_dict": synthetic()})
    published.load(first, cache)
    published.load(first, cache)
    with pytest.raises(MazeError, match="another file than the one first used") as caught:
        published.load(second, cache)
    assert "\n" not in str(caught.value)
    (cache / published.PINS).write_text("{", "utf-8")
    with pytest.raises(MazeError, match="is broken"):
        published.load(first, cache)


class Payload:
    """A pickle that would run something."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("pickle-was-run"),)


def test_a_pickle_with_a_payload_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [checkpoint(tmp_path / "a.pth", {"model_state_dict": synthetic(), "extra": Payload()})]
    (tmp_path / "b.pth").write_bytes(pickle.dumps(Payload()))
    paths.append(str(tmp_path / "b.pth"))
    for number, path in enumerate(paths):
        with pytest.raises(MazeError, match="is refused") as caught:
            published.load(path, tmp_path / f"cache{number}")
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "pickle-was-run").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fc_policy.weight": torch.zeros(15, 99)}, "fc_policy.weight has shape"),
        ({"embedder.block4.conv.weight": torch.zeros(1)}, "embedder.block4.conv.weight"),
    ],
)
def test_wrong_shapes_are_one_line_that_names_the_tensor(
    change: dict[str, torch.Tensor], words: str, tmp_path: Path
) -> None:
    path = checkpoint(tmp_path / "model.pth", {"model_state_dict": {**synthetic(), **change}})
    with pytest.raises(MazeError, match=words) as caught:
        published.load(path, tmp_path / "cache")
    assert "\n" not in str(caught.value)


def test_without_a_network_the_download_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "ADDRESS", "http://127.0.0.1:9/model.pth")
    with pytest.raises(MazeError, match="could not fetch") as caught:
        published.load(published.DOWNLOAD, tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a zip", b"<html>404</html>"])
def test_what_is_no_checkpoint_is_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(content)
    with pytest.raises(MazeError, match=r"model\.pth") as caught:
        published.load(str(tmp_path / "model.pth"), tmp_path / "cache")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cache").exists()  # what was no network is not pinned


def test_other_checkpoints_and_a_missing_file_are_one_line(tmp_path: Path) -> None:
    other = checkpoint(tmp_path / "other.pth", {"weights": torch.zeros(2)})
    with pytest.raises(MazeError, match="no model_state_dict"):
        published.load(other, tmp_path / "cache")
    with pytest.raises(MazeError, match="no file"):
        published.load(str(tmp_path / "none.pth"), tmp_path / "cache2")


def test_of_two_runs_that_share_a_cache_and_pin_at_once_the_first_counts(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    one, other = tmp_path / "one.pth", tmp_path / "other.pth"
    one.write_bytes(b"one")
    other.write_bytes(b"other")
    # Both have been looked at before either is pinned.
    digests = [published._checked(path, cache) for path in (one, other)]
    published._pin(one, digests[0], cache)
    published._pin(one, digests[0], cache)
    with pytest.raises(MazeError, match="another file than the one first used"):
        published._pin(other, digests[1], cache)
    assert json.loads((cache / published.PINS).read_text("utf-8")) == {published.NAME: digests[0]}
    assert [path.name for path in cache.iterdir()] == [published.PINS]
