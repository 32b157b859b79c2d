"""What a policy would do on every free cell of a maze."""

import numpy as np
import pytest
import torch

from reproductions.maze import vector_field as fields
from reproductions.maze.environment import LEFT, RIGHT, UP, Environments
from reproductions.maze.policy import Architecture, MazePolicy, action_probabilities
from reproductions.maze.vector_field import VectorField, free_cells, vector_field

pytestmark = pytest.mark.experiment


@pytest.fixture
def policy() -> MazePolicy:
    torch.manual_seed(0)
    return MazePolicy(Architecture(tiles=15, channels=(4,), residuals=(1,), hidden=8)).eval()


def test_each_cell_has_the_probabilities_of_the_picture_with_the_mouse_there(
    easy: Environments, policy: MazePolicy
) -> None:
    maze = easy.levels([1005])[0]
    field = vector_field(policy, maze, easy)
    assert field.cells == free_cells(maze)
    assert len(field.cells) == maze.open_cells.sum() - 1
    assert maze.cheese not in field.cells
    for place in (0, len(field.cells) - 1):
        picture = easy.draw([maze.with_mouse(field.cells[place])])
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            alone = action_probabilities(policy(torch.from_numpy(picture)))[0]
        assert np.allclose(field.probabilities[place], alone, atol=1e-2)
    assert np.allclose(field.probabilities.sum(axis=1), 1, atol=1e-5)


def test_probabilities_do_not_depend_on_how_many_pictures_go_together(
    easy: Environments, policy: MazePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    maze = max(easy.levels(range(20)), key=lambda level: level.size)
    field = vector_field(policy, maze, easy)
    monkeypatch.setattr(fields, "BATCH", 7)
    assert len(field.cells) > 2 * fields.BATCH
    assert np.array_equal(vector_field(policy, maze, easy).probabilities, field.probabilities)


def test_an_edit_is_open_for_this_field_only(easy: Environments, policy: MazePolicy) -> None:
    maze = easy.levels([1005])[0]
    before = vector_field(policy, maze, easy).probabilities
    edited = vector_field(policy, maze, easy, {"fc": lambda kept: 50 * torch.ones_like(kept)}).probabilities
    assert np.ptp(edited, axis=0).max() < 1e-6  # the features are the same on every cell
    assert np.ptp(before, axis=0).max() > 1e-6
    assert np.array_equal(vector_field(policy, maze, easy).probabilities, before)


def test_arrows_point_the_way_of_the_net_probability() -> None:
    probabilities = np.zeros((3, 5), np.float32)
    probabilities[0, UP] = 1
    probabilities[1, [LEFT, RIGHT]] = 0.25, 0.75
    probabilities[2, 4] = 1
    arrows = VectorField(((0, 0), (0, 1), (0, 2)), probabilities).arrows
    assert arrows.tolist() == [[1, 0], [0, 0.5], [0, 0]]
