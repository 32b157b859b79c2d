"""What a retargeting rule writes, and what it is told."""

import numpy as np
import pytest
import torch
from torch import Tensor

from reproductions.maze import geometry, vectors
from reproductions.maze.channels import Tracking, location, locations, windows
from reproductions.maze.environment import Environments
from reproductions.maze.policy import Architecture, MazePolicy
from reproductions.maze.retarget import KINDS, Changed, Rule, Setting, TargetVectors, grid, retargeting
from reproductions.maze.rollout import Rows
from reproductions.maze.state import MazeError

pytestmark = pytest.mark.experiment

LAYER = "block1.res1.resadd"
CHANNELS, SIDE = 6, 15
TARGET = (4, 9)
AT = location(TARGET, SIDE, (SIDE, SIDE))


class FixedVectors(TargetVectors):
    """Stands for vectors made from development levels."""

    def __init__(self) -> None:
        self.vector = torch.randn(CHANNELS, SIDE, SIDE, generator=torch.Generator().manual_seed(5))

    def of(self, layer: str, target: tuple[int, int]) -> Tensor:
        return self.vector


def tracked() -> Tracking:
    generator = torch.Generator().manual_seed(1)
    return Tracking(
        background=torch.randn(CHANNELS, generator=generator),
        spread=torch.ones(CHANNELS),
        patch=torch.randn(CHANNELS, 3, 3, generator=generator),
    )


def rule(kind: str, clear: bool = False) -> Rule:
    return Rule(Setting(LAYER, kind, 3.0, clear), tracked(), FixedVectors(), several=2)


@pytest.fixture
def before() -> Tensor:
    return torch.randn(2, CHANNELS, SIDE, SIDE, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(
    ("kind", "scalars"),
    [("one", 1), ("several", 2), ("patch", 9 * CHANNELS), ("layer", CHANNELS * SIDE * SIDE)],
)
def test_a_rule_changes_exactly_the_scalars_of_its_kind(before: Tensor, kind: str, scalars: int) -> None:
    after = rule(kind).edited(before, [TARGET, TARGET], SIDE)
    changed = Changed()
    changed.count([0, 7], before, after)
    assert changed.means() == {0: scalars, 7: scalars}
    assert changed.mean() == scalars
    if kind != "layer":
        down, right = AT
        near = torch.zeros(SIDE, SIDE, dtype=torch.bool)
        reach = 1 if kind == "patch" else 0
        near[down - reach : down + reach + 1, right - reach : right + reach + 1] = True
        assert torch.equal(after[..., ~near], before[..., ~near])


def test_set_activations_have_the_value_that_is_said(before: Tensor) -> None:
    one = rule("several")
    after = one.edited(before, [TARGET, TARGET], SIDE)
    chosen = one.tracked.ranked()[:2]
    wanted = one.tracked.background[chosen] + 3 * one.tracked.gain[chosen]
    assert torch.allclose(after[:, chosen, AT[0], AT[1]], wanted.expand(2, 2))


def test_clearing_sets_only_what_is_beyond_half_the_gain_to_the_background(before: Tensor) -> None:
    one = rule("one", clear=True)
    after = one.edited(before, [TARGET, TARGET], SIDE)
    best = int(one.tracked.ranked()[0])
    gain, background = one.tracked.gain[best], one.tracked.background[best]
    beyond = (before[:, best] - background) * gain.sign() > gain.abs() / 2
    beyond[:, AT[0], AT[1]] = False
    elsewhere = torch.ones_like(beyond)
    elsewhere[:, AT[0], AT[1]] = False
    assert beyond.any()
    assert (after[:, best][beyond] == background).all()
    assert torch.equal(after[:, best][elsewhere & ~beyond], before[:, best][elsewhere & ~beyond])


@pytest.mark.parametrize("kind", KINDS)
def test_controls_write_as_much_elsewhere(before: Tensor, kind: str) -> None:
    own = rule(kind)
    shift = own.edited(before, [TARGET, TARGET], SIDE) - before
    noise = own.with_random_vector(3).edited(before, [TARGET, TARGET], SIDE) - before
    assert torch.allclose(noise.flatten(1).norm(dim=1), shift.flatten(1).norm(dim=1), rtol=1e-4)
    assert not torch.allclose(noise, shift)
    other = own.with_random_channels(3).edited(before, [TARGET, TARGET], SIDE) - before
    if kind in ("patch", "layer"):  # added, so of the same norm
        assert torch.allclose(other.flatten(1).norm(dim=1), shift.flatten(1).norm(dim=1), rtol=1e-4)
        assert not torch.allclose(other, shift)
    else:  # set, in other channels
        touched, control = (
            {*t.abs().amax(dim=(0, 2, 3)).nonzero().flatten().tolist()} for t in (shift, other)
        )
        assert len(touched) == len(control)
        assert not touched & control


def policy() -> MazePolicy:
    torch.manual_seed(0)
    return MazePolicy(Architecture(tiles=15, channels=(CHANNELS,), residuals=(1,), hidden=8)).eval()


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_knows_the_target_and_nothing_else_of_the_maze(
    easy: Environments, before: Tensor, kind: str
) -> None:
    mazes = [maze for maze in easy.levels(range(40)) if maze.size == 15][:2]
    target = geometry.corner_cell(mazes[0], "top-left")
    edits = retargeting(rule(kind, clear=kind != "layer"), mazes, [target, target])
    same = before[:1]
    written = [edits(Rows((index,), (0,), easy))[LAYER](same) for index in (0, 1)]
    assert torch.equal(written[0], written[1])


def test_a_target_inside_a_wall_or_outside_is_refused_in_one_line(easy: Environments) -> None:
    maze = easy.levels([1005])[0]
    wall = tuple(int(part) for part in torch.tensor(~maze.open_cells).nonzero()[0])
    for target, word in ((wall, "inside a wall"), ((99, 0), "outside")):
        with pytest.raises(MazeError, match=word) as refused:
            retargeting(rule("one"), [maze], [target])  # type: ignore[list-item]
        assert "\n" not in str(refused.value)


def test_the_grid_holds_every_combination_once() -> None:
    settings = grid(["a", "b"], [1, 2])
    assert len(settings) == len(set(settings)) == 2 * (3 * 2 + 1) * 2


def test_control_vectors_have_the_norms_of_the_real_ones(easy: Environments) -> None:
    mazes = vectors.with_decision_square(
        [maze for maze in easy.levels(range(60)) if 9 <= maze.size < 15], np.random.default_rng(0)
    )[:4]
    for make in (vectors.cheese_vectors, vectors.top_right_vectors):
        own = make(policy(), mazes, easy, [LAYER])
        norms = own[LAYER].flatten(1).norm(dim=1)
        assert (norms > 0).all()
        for control in (vectors.of_another_maze(own), vectors.at_random(own, 1)):
            assert torch.allclose(control[LAYER].flatten(1).norm(dim=1), norms, rtol=1e-4)
            assert not torch.allclose(control[LAYER], own[LAYER])


def test_a_path_is_dug_to_the_outer_corner(easy: Environments) -> None:
    maze = next(maze for maze in easy.levels(range(40)) if maze.size == 11)
    dug = vectors.dug(maze)
    way = geometry.path(dug, geometry.corner_cell(maze, "top-right"), (14, 14))
    assert len(way) == 5
    assert (dug.open_cells & ~maze.open_cells).sum() == 4
    full = next(maze for maze in easy.levels(range(80)) if maze.size == 15)
    with pytest.raises(MazeError, match="fills its world"):
        vectors.dug(full)


def test_locations_follow_the_picture_and_windows_are_centred(easy: Environments) -> None:
    assert location((24, 0), 25, (25, 25)) == (0, 0)
    assert location((0, 24), 25, (13, 13)) == (12, 12)
    assert location((12, 12), 25, (32, 32)) == (16, 16)
    values = torch.arange(50.0).reshape(1, 2, 5, 5)
    found = windows(values, locations([(4, 0)], 5, (5, 5)))
    assert found.shape == (1, 2, 3, 3)
    assert found[0, :, 1, 1].tolist() == [0, 25]
    assert found[0, 0, 0].tolist() == [0, 0, 0]
    assert found[0, 0, 2, 2] == 6
