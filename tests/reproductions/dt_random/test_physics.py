from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np
import pytest

from reproductions.dt_random.physics import EPISODE_STEPS, TASKS, Environments, UnknownEnvironment, seeds_from

pytestmark = pytest.mark.experiment


@pytest.mark.parametrize("name", list(TASKS))
@pytest.mark.parametrize("threads", [1, 2])
def test_every_step_and_reset_is_gymnasiums(name: str, threads: int) -> None:
    seeds = [3, 4, 5]
    ours = Environments(name, seeds, threads)
    theirs = [gymnasium.make(TASKS[name].gymnasium_id) for _ in seeds]
    first = np.stack([env.reset(seed=seed)[0] for env, seed in zip(theirs, seeds, strict=True)])
    np.testing.assert_allclose(ours.reset(), first, rtol=0, atol=1e-10)
    actions = np.random.default_rng(0)
    resets = 0
    for _ in range(120):
        action = actions.uniform(-1.2, 1.2, (len(seeds), ours.action_size))
        step = ours.step(action)
        for index, env in enumerate(theirs):
            observation, reward, terminated, truncated, _ = env.step(action[index])
            np.testing.assert_allclose(step.observations[index], observation, rtol=0, atol=1e-10)
            assert step.rewards[index] == pytest.approx(reward, abs=1e-10)
            assert (step.terminated[index], step.truncated[index]) == (terminated, truncated)
            if terminated:
                resets += 1
                np.testing.assert_allclose(ours.reset([index])[0], env.reset()[0], rtol=0, atol=1e-10)
    assert resets > 0 or name == "halfcheetah"
    ours.close()


def test_an_episode_is_truncated_at_the_step_at_which_gymnasium_truncates_it() -> None:
    ours, theirs = Environments("halfcheetah", [0]), gymnasium.make("HalfCheetah-v5")
    ours.reset()
    theirs.reset(seed=0)
    action = np.zeros((1, 6))
    for _ in range(EPISODE_STEPS):
        step = ours.step(action)
        truncated = theirs.step(action[0])[3]
        assert bool(step.truncated[0]) == truncated
    assert truncated
    assert not step.terminated[0]


def test_copies_that_do_not_move_stay_as_they_are() -> None:
    together, alone = Environments("hopper", [1, 2]), Environments("hopper", [2])
    together.reset()
    alone.reset()
    action = np.full((1, 3), 0.3)
    for _ in range(5):
        together.step(action, [0])
    np.testing.assert_array_equal(together.step(action, [1]).observations, alone.step(action).observations)
    assert together.steps_taken.tolist() == [5, 1]


def test_actions_of_another_shape_are_refused() -> None:
    environments = Environments("hopper", [1, 2])
    with pytest.raises(ValueError, match=r"expected \(2, 3\)"):
        environments.step(np.zeros((1, 3)))


def test_an_unknown_environment_is_one_line_that_names_the_known_ones() -> None:
    with pytest.raises(
        UnknownEnvironment, match="unknown environment 'ant'; choose one of hopper, halfcheetah, walker2d"
    ):
        Environments("ant", [0])


def test_loading_a_model_leaves_no_log_file_behind(tmp_path: Path) -> None:
    Environments("halfcheetah", [0])
    assert list(tmp_path.iterdir()) == []


def test_seeds_differ_by_purpose_and_are_the_same_again() -> None:
    assert seeds_from(0, 3, 1) == seeds_from(0, 3, 1)
    assert not set(seeds_from(0, 50, 1)) & set(seeds_from(0, 50, 2))
