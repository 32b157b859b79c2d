"""The network: its names, its shapes, what reading and editing layers does, files that are none."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from reproductions.maze.policy import (
    Architecture,
    MazePolicy,
    action_probabilities,
    area_weights,
    move_logits,
)
from reproductions.maze.state import MazeError

pytestmark = pytest.mark.experiment

SMALL = Architecture(tiles=15, channels=(4, 4, 4), residuals=(2, 1, 1), hidden=16)


@pytest.fixture
def policy() -> MazePolicy:
    torch.manual_seed(0)
    return MazePolicy(SMALL).eval()


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize("side", [15, 30, 50, 64])
def test_resampling_by_area_keeps_the_mean_and_every_pixel_counts(side: int) -> None:
    weights = area_weights(64, side)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(side))
    torch.testing.assert_close(weights.sum(dim=0), torch.full((64,), side / 64))


def test_the_first_block_gives_one_location_for_each_cell(policy: MazePolicy) -> None:
    shapes = policy.shapes()
    assert shapes["block1.conv"] == (4, 30, 30)
    assert shapes["block1.maxpool"] == shapes["block1.res2.resadd"] == (4, 15, 15)
    assert shapes["block3.res1.resadd"] == (4, 4, 4)
    assert list(shapes) == list(policy.layers())


def test_an_edit_of_a_layer_changes_what_comes_after_it_alone(
    policy: MazePolicy, pictures: np.ndarray
) -> None:
    names = ["block1.res1.resadd", "block1.res2.resadd", "block2.maxpool", "fc"]
    before = policy.activations(pictures, names)
    with policy.editing({"block1.res2.resadd": lambda x: x + 1}):
        after = policy.activations(pictures, names)
    torch.testing.assert_close(after["block1.res1.resadd"], before["block1.res1.resadd"])
    for name in names[2:]:
        assert not torch.allclose(after[name], before[name])
    torch.testing.assert_close(policy.activations(pictures, names)["fc"], before["fc"])


def test_an_edit_that_changes_nothing_leaves_the_logits(policy: MazePolicy, pictures: np.ndarray) -> None:
    frames = torch.from_numpy(pictures)
    with torch.inference_mode():
        plain = policy(frames)
        with policy.editing(dict.fromkeys(policy.layers(), lambda x: x.clone())):
            torch.testing.assert_close(policy(frames), plain)


def test_an_unknown_layer_is_one_line_with_near_names(policy: MazePolicy) -> None:
    with pytest.raises(MazeError, match=r"block2\.res1\.resadd"):
        policy.layer("block2.res1.resadd_out")


def test_moves_sum_the_actions_that_make_them() -> None:
    logits = torch.randn(5, 15)
    probabilities = action_probabilities(logits)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(5))
    torch.testing.assert_close(probabilities[:, 0], torch.softmax(logits, 1)[:, :3].sum(dim=1))
    torch.testing.assert_close(
        (move_logits(logits) - logits.logsumexp(1, keepdim=True)).exp(), probabilities[:, :4]
    )


def test_saved_weights_come_back_to_the_bit(policy: MazePolicy, pictures: np.ndarray, tmp_path: Path) -> None:
    policy.save(tmp_path / "small.safetensors", {"seed": "0"})
    again = MazePolicy.load(tmp_path / "small.safetensors")
    assert again.architecture == SMALL
    with torch.inference_mode():
        assert torch.equal(again(torch.from_numpy(pictures)), policy(torch.from_numpy(pictures)))
    assert [path.name for path in tmp_path.iterdir()] == ["small.safetensors"]


@pytest.mark.parametrize("content", [None, b"", b"not weights"])
def test_missing_or_broken_weights_are_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "easy-0.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MazeError, match=r"easy-0\.safetensors") as caught:
        MazePolicy.load(path)
    assert "\n" not in str(caught.value)


def test_weights_of_other_shapes_are_one_line_that_names_the_tensor(
    policy: MazePolicy, tmp_path: Path
) -> None:
    policy.save(tmp_path / "good.safetensors")
    tensors = policy.state_dict()
    header = {"architecture": '{"tiles": 15, "channels": [4, 4, 4], "residuals": [2, 1, 1], "hidden": 16}'}
    wrong = {**tensors, "fc_policy.weight": torch.zeros(15, 7)}
    lacking = {name: tensor for name, tensor in tensors.items() if name != "fc_policy.bias"}
    more = {**tensors, "extra": torch.zeros(1)}
    for changed, words in ((wrong, "fc_policy.weight"), (lacking, "fc_policy.bias"), (more, "extra")):
        contiguous = {name: tensor.contiguous() for name, tensor in changed.items()}
        save_file(contiguous, tmp_path / "bad.safetensors", header)
        with pytest.raises(MazeError, match=words) as caught:
            MazePolicy.load(tmp_path / "bad.safetensors")
        assert "\n" not in str(caught.value)
