"""Many copies of a MuJoCo locomotion task, stepped together, exactly as gymnasium's v5 environments.

The physics is MuJoCo's own: one `MjData` a copy, advanced by `mj_step`, so each copy keeps its own solver
warm start and follows gymnasium bit for bit (a test compares them step by step). What gymnasium adds to the
physics is small and stands here: observation, reward, termination and the noise of the initial state, after
gymnasium/envs/mujoco/{hopper_v5,half_cheetah_v5,walker2d_v5}.py (Farama Foundation, MIT licence) and
https://gymnasium.farama.org/environments/mujoco/. The XML models are read from the installed gymnasium.

Units: lengths in metres, angles in radians, time in seconds, velocities per second; rewards have none.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

EPISODE_STEPS = 1000
"""Steps after which gymnasium truncates an episode (its TimeLimit wrapper)."""


class UnknownEnvironment(ValueError):
    """No environment has this name."""


@dataclass(frozen=True)
class Task:
    """What distinguishes one environment from another; the values are the defaults of gymnasium's v5
    classes.
    """

    name: str
    gymnasium_id: str
    model_file: str
    frame_skip: int
    control_cost_weight: float
    healthy_reward: float
    healthy_height: tuple[float, float] | None
    """Open interval of the torso's height in metres outside of which an episode terminates; None: never."""
    healthy_angle: tuple[float, float]
    """Open interval of the torso's pitch in radians."""
    healthy_state: tuple[float, float]
    """Open interval for every other position and velocity."""
    velocity_clip: float
    """Observed velocities are clipped to plus or minus this."""
    reset_noise: float
    """Half width of the uniform noise on the initial positions and velocities."""
    normal_velocity_noise: bool
    """HalfCheetah draws its initial velocities from a normal of that standard deviation instead."""


_EVERYTHING = (-np.inf, np.inf)

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            name="hopper",
            gymnasium_id="Hopper-v5",
            model_file="hopper.xml",
            frame_skip=4,
            control_cost_weight=1e-3,
            healthy_reward=1.0,
            healthy_height=(0.7, np.inf),
            healthy_angle=(-0.2, 0.2),
            healthy_state=(-100.0, 100.0),
            velocity_clip=10.0,
            reset_noise=5e-3,
            normal_velocity_noise=False,
        ),
        Task(
            name="halfcheetah",
            gymnasium_id="HalfCheetah-v5",
            model_file="half_cheetah.xml",
            frame_skip=5,
            control_cost_weight=0.1,
            healthy_reward=0.0,
            healthy_height=None,
            healthy_angle=_EVERYTHING,
            healthy_state=_EVERYTHING,
            velocity_clip=np.inf,
            reset_noise=0.1,
            normal_velocity_noise=True,
        ),
        Task(
            name="walker2d",
            gymnasium_id="Walker2d-v5",
            model_file="walker2d_v5.xml",
            frame_skip=4,
            control_cost_weight=1e-3,
            healthy_reward=1.0,
            healthy_height=(0.8, 2.0),
            healthy_angle=(-1.0, 1.0),
            healthy_state=_EVERYTHING,
            velocity_clip=10.0,
            reset_noise=5e-3,
            normal_velocity_noise=False,
        ),
    )
}


def task_named(name: str) -> Task:
    """The task of that name; an unknown one raises a one-line error that lists the known ones."""
    try:
        return TASKS[name]
    except KeyError:
        raise UnknownEnvironment(f"unknown environment {name!r}; choose one of {', '.join(TASKS)}") from None


@contextmanager
def _quiet_warnings() -> Iterator[None]:
    """Keeps MuJoCo from writing MUJOCO_LOG.TXT over the deprecated `settotalmass` of half_cheetah.xml."""
    before: Callable[[str], Any] | None = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(lambda message: None)
    try:
        yield
    finally:
        mujoco.set_mju_user_warning(before)


def load_model(task: Task) -> mujoco.MjModel:
    """The compiled MuJoCo model of the task, from the XML file in the installed gymnasium package."""
    package = importlib.util.find_spec("gymnasium")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError(
            "gymnasium is not installed; install the extra: pip install 'interp-kb[mujoco]'"
        )
    path = Path(package.submodule_search_locations[0]) / "envs" / "mujoco" / "assets" / task.model_file
    with _quiet_warnings():
        return mujoco.MjModel.from_xml_path(str(path))


@dataclass(frozen=True)
class Step:
    """What one step gave, a row for each copy that moved."""

    observations: Floats
    """Shape (copies, observation size), after the step and before any reset."""
    rewards: Floats
    """Shape (copies,)."""
    terminated: Flags
    """Shape (copies,): the state after the step is unhealthy (the episode failed)."""
    truncated: Flags
    """Shape (copies,): the episode reached its 1,000 steps."""


class Environments:
    """`copies` independent copies of one task, stepped together; every copy has its own random numbers.

    Nothing resets itself: the caller resets the copies whose episode ended. A copy seeded with s behaves as
    `gymnasium.make(id)` after `reset(seed=s)`, later resets included.
    """

    def __init__(self, name: str, seeds: Sequence[int], threads: int = 1) -> None:
        """One copy for each of `seeds`, shared out to `threads` (MuJoCo releases Python's lock)."""
        self.task = task_named(name)
        self.model = load_model(self.task)
        self.copies = len(seeds)
        self.observation_size: int = self.model.nq - 1 + self.model.nv
        self.action_size: int = self.model.nu
        self.action_low: Floats = self.model.actuator_ctrlrange[:, 0].copy()
        self.action_high: Floats = self.model.actuator_ctrlrange[:, 1].copy()
        self.seconds_per_step: float = self.model.opt.timestep * self.task.frame_skip
        self._states = [mujoco.MjData(self.model) for _ in seeds]
        self._initial_positions: Floats = self._states[0].qpos.copy()
        self._initial_velocities: Floats = self._states[0].qvel.copy()
        self._generators = [
            np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed))) for seed in seeds
        ]
        # Views into MuJoCo's own memory, fetched once: attribute access costs more than the copy.
        self._positions = [state.qpos for state in self._states]
        self._velocities = [state.qvel for state in self._states]
        self._controls = [state.ctrl for state in self._states]
        self.steps_taken: NDArray[np.int64] = np.zeros(self.copies, dtype=np.int64)
        """Shape (copies,): steps since each copy's reset."""
        self._threads = min(threads, self.copies)
        self._pool = ThreadPoolExecutor(self._threads) if self._threads > 1 else None

    def reset(self, which: Sequence[int] | NDArray[np.int64] | None = None) -> Floats:
        """Starts new episodes in the copies `which` (None: all); their observations, (len(which), size)."""
        chosen = range(self.copies) if which is None else which
        noise = self.task.reset_noise
        observations = np.empty((len(chosen), self.observation_size))
        for row, index in enumerate(chosen):
            state, generator = self._states[index], self._generators[index]
            mujoco.mj_resetData(self.model, state)
            state.qpos[:] = self._initial_positions + generator.uniform(-noise, noise, self.model.nq)
            if self.task.normal_velocity_noise:
                state.qvel[:] = self._initial_velocities + noise * generator.standard_normal(self.model.nv)
            else:
                state.qvel[:] = self._initial_velocities + generator.uniform(-noise, noise, self.model.nv)
            mujoco.mj_forward(self.model, state)
            self.steps_taken[index] = 0
            observations[row] = self._observe(state.qpos[None], state.qvel[None])[0]
        return observations

    def step(
        self, actions: NDArray[np.floating[Any]], which: Sequence[int] | NDArray[np.int64] | None = None
    ) -> Step:
        """Applies `actions`, shape (len(which), action size), for one control step of `seconds_per_step`.

        Only the copies `which` (None: all) move, and the result has a row for each of them. As in gymnasium,
        actions outside the range are clamped by the physics but cost what was asked for.
        """
        chosen = np.arange(self.copies) if which is None else np.asarray(which, dtype=np.int64)
        if actions.shape != (len(chosen), self.action_size):
            raise ValueError(
                f"actions have shape {actions.shape}, expected {(len(chosen), self.action_size)}"
            )
        before = np.array([self._positions[index][0] for index in chosen])
        if self._pool is None:
            self._advance(actions, chosen)
        else:
            parts = self._threads
            shares = [(actions[first::parts], chosen[first::parts]) for first in range(parts)]
            list(self._pool.map(lambda share: self._advance(*share), shares))
        positions = np.stack([self._positions[index] for index in chosen])
        velocities = np.stack([self._velocities[index] for index in chosen])
        self.steps_taken[chosen] += 1
        healthy = self._healthy(positions, velocities)
        forward_velocity = (positions[:, 0] - before) / self.seconds_per_step
        control_cost = self.task.control_cost_weight * np.square(actions.astype(np.float64)).sum(axis=1)
        return Step(
            observations=self._observe(positions, velocities),
            rewards=forward_velocity + self.task.healthy_reward * healthy - control_cost,
            terminated=~healthy,
            truncated=self.steps_taken[chosen] >= EPISODE_STEPS,
        )

    def positions_and_velocities(self) -> tuple[Floats, Floats]:
        """MuJoCo's qpos, shape (copies, nq), and qvel, shape (copies, nv), as D4RL stores them."""
        return np.stack(self._positions), np.stack(self._velocities)

    def close(self) -> None:
        """Ends the worker threads, if any."""
        if self._pool is not None:
            self._pool.shutdown()

    def _advance(self, actions: NDArray[np.floating[Any]], chosen: NDArray[np.int64]) -> None:
        for action, index in zip(actions, chosen, strict=True):
            self._controls[index][:] = action
            mujoco.mj_step(self.model, self._states[index], nstep=self.task.frame_skip)

    def _observe(self, positions: Floats, velocities: Floats) -> Floats:
        """Positions without the horizontal one, then velocities (clipped where the task says so)."""
        clip = self.task.velocity_clip
        return np.concatenate([positions[:, 1:], np.clip(velocities, -clip, clip)], axis=1)

    def _healthy(self, positions: Floats, velocities: Floats) -> Flags:
        if self.task.healthy_height is None:
            return np.ones(len(positions), dtype=np.bool_)
        low, high = self.task.healthy_height
        angle_low, angle_high = self.task.healthy_angle
        state_low, state_high = self.task.healthy_state
        height, angle = positions[:, 1], positions[:, 2]
        others = np.concatenate([positions[:, 2:], velocities], axis=1)
        return np.asarray(
            (low < height)
            & (height < high)
            & (angle_low < angle)
            & (angle < angle_high)
            & ((state_low < others) & (others < state_high)).all(axis=1)
        )


def seeds_from(seed: int, count: int, purpose: int = 0) -> list[int]:
    """`count` seeds of separate random streams out of one, distinct for each `purpose`."""
    return [int(word) for word in np.random.SeedSequence([seed, purpose]).generate_state(count)]
