"""Own data sets: played by the behaviour policies, cached by content, shared safely between runs.

A data set of N transitions is what playing one episode after the other would have given: many copies play at
once, episodes are numbered in the order in which they start and kept in that order, so that short episodes
are not over-represented; the episode that passes the N-th transition is dropped, as when a D4RL file is
split.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

import mujoco  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from reproductions.dt_random.behaviour import (
    GaussianPolicy,
    Policy,
    RandomTanhGaussianPolicy,
    UniformPolicy,
    shipped_path,
)
from reproductions.dt_random.data import (
    OBSERVATION_AND_ACTION_SIZES,
    DataError,
    DataSet,
    as_data_set,
    concatenate,
    digest_of_arrays,
    digest_of_file,
    read_hdf5,
    require_room,
    write_hdf5,
)
from reproductions.dt_random.physics import Environments, seeds_from

COPIES = 64
"""Environments that play at once; part of what decides the data, so never varied."""
LEAST_NOISE = np.float32(0.1)
"""Standard deviation of the action noise with which trained policies play at least. Experts that act almost without
noise leave so thin a trail that a cloned network which strays from it finds only medium data to go on with."""
VERSION = 2
"""Raised when the same request would give other data, so that old cache entries are not found."""
OWN_LEVELS = ("random", "uniform", "medium", "expert", "medium-expert")


@dataclass(frozen=True)
class Request:
    """Which data set is wanted."""

    environment: str
    level: str
    """random (an untrained tanh-Gaussian policy), uniform, medium, expert or medium-expert (half of each)."""
    transitions: int
    seed: int

    def __post_init__(self) -> None:
        if self.environment not in OBSERVATION_AND_ACTION_SIZES:
            known = ", ".join(OBSERVATION_AND_ACTION_SIZES)
            raise DataError(f"unknown environment {self.environment!r}; choose one of {known}")
        if self.level not in OWN_LEVELS:
            raise DataError(f"unknown kind of data {self.level!r}; choose one of {', '.join(OWN_LEVELS)}")
        if self.transitions < 1:
            raise DataError(f"{self.transitions} transitions are none; ask for at least one episode's worth")

    def digest(self) -> str:
        """Identifies the data: this request, the weights it plays, the physics version, this module's
        version.
        """
        content: dict[str, Any] = {
            **asdict(self),
            "version": VERSION,
            "copies": COPIES,
            "mujoco": mujoco.__version__,
        }
        if self.level in ("medium", "expert"):
            path = shipped_path(self.environment, self.level)
            content["weights"] = digest_of_file(path) if path.is_file() else "missing"
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def policy_of(request: Request) -> Policy:
    """The behaviour policy that plays the request."""
    observation_size, action_size = OBSERVATION_AND_ACTION_SIZES[request.environment]
    if request.level == "uniform":
        return UniformPolicy(action_size)
    if request.level == "random":
        generator = np.random.default_rng([request.seed, 11])
        return RandomTanhGaussianPolicy.initialise(observation_size, action_size, generator)
    policy = GaussianPolicy.load(shipped_path(request.environment, request.level))
    return replace(policy, action_deviation=np.maximum(policy.action_deviation, LEAST_NOISE))


def play(request: Request, threads: int = 1) -> dict[str, NDArray[Any]]:
    """Plays whole episodes up to at most `transitions` steps; flat arrays in D4RL's layout.

    The result does not depend on `threads`: the copies are independent and the policy's noise is drawn in
    one place.
    """
    policy, generator = policy_of(request), np.random.default_rng([request.seed, 12])
    environments = Environments(request.environment, seeds_from(request.seed, COPIES, purpose=13), threads)
    recorder = _Recorder(request, environments)
    running = np.arange(COPIES)
    current = environments.reset()
    taken = 0
    while len(running):
        actions = policy.sample(current[running], generator)
        step = environments.step(actions, running)
        recorder.record(running, current[running], actions, step.observations, step.rewards)
        taken += len(running)
        current[running] = step.observations
        ended = step.terminated | step.truncated
        for copy, failed in zip(running[ended], step.terminated[ended], strict=True):
            recorder.finish(int(copy), bool(failed))
        if taken < request.transitions:
            if ended.any():
                current[running[ended]] = environments.reset(running[ended])
                recorder.begin(running[ended])
        else:
            running = running[~ended]
    environments.close()
    return recorder.result()


class _Recorder:
    """Gathers steps by episode; an episode's number is the order in which it started."""

    def __init__(self, request: Request, environments: Environments) -> None:
        self.request = request
        self.width = 2 * environments.observation_size + environments.action_size + 1
        self.sizes = environments.observation_size, environments.action_size
        self.buffer = np.empty((COPIES, 1000, self.width), dtype=np.float32)
        self.filled = np.zeros(COPIES, dtype=np.int64)
        self.number = np.arange(COPIES)
        self.begun = COPIES
        self.finished: dict[int, tuple[NDArray[np.float32], bool]] = {}

    def begin(self, copies: NDArray[np.int64]) -> None:
        """New episodes in these copies."""
        self.number[copies] = self.begun + np.arange(len(copies))
        self.begun += len(copies)
        self.filled[copies] = 0

    def record(
        self,
        copies: NDArray[np.int64],
        observations: NDArray[np.float64],
        actions: NDArray[np.float32],
        following: NDArray[np.float64],
        rewards: NDArray[np.float64],
    ) -> None:
        """One step of these copies."""
        rows = np.concatenate([observations, following, actions, rewards[:, None]], axis=1)
        self.buffer[copies, self.filled[copies]] = rows
        self.filled[copies] += 1

    def finish(self, copy: int, failed: bool) -> None:
        """The copy's episode ended, by failing or by the time limit."""
        self.finished[int(self.number[copy])] = (self.buffer[copy, : self.filled[copy]].copy(), failed)

    def result(self) -> dict[str, NDArray[Any]]:
        """The first whole episodes, in order of start, that fit into the wanted number of transitions."""
        episodes: list[NDArray[np.float32]] = []
        failures: list[bool] = []
        total = 0
        for number in range(self.begun):
            episode, failed = self.finished[number]
            total += len(episode)
            if total > self.request.transitions:
                break
            episodes.append(episode)
            failures.append(failed)
        if not episodes:
            raise DataError(
                f"{self.request.transitions} transitions hold no whole episode of {self.request.environment} "
                f"{self.request.level}; ask for more (at least 1000)"
            )
        rows = np.concatenate(episodes)
        last = np.cumsum([len(episode) for episode in episodes]) - 1
        terminals, timeouts = np.zeros(len(rows), dtype=np.bool_), np.zeros(len(rows), dtype=np.bool_)
        terminals[last] = failures
        timeouts[last] = ~np.array(failures)
        observation_size, action_size = self.sizes
        cuts = np.cumsum([observation_size, observation_size, action_size])
        observations, following, actions, rewards = np.split(rows, cuts, axis=1)
        return {
            "observations": np.ascontiguousarray(observations),
            "next_observations": np.ascontiguousarray(following),
            "actions": np.ascontiguousarray(actions),
            "rewards": np.ascontiguousarray(rewards[:, 0]),
            "terminals": terminals,
            "timeouts": timeouts,
        }


def own_data(request: Request, cache: Path, threads: int = 1) -> DataSet:
    """The requested data set, from the cache folder or freshly played into it."""
    if request.level == "medium-expert":
        medium, expert = (
            own_data(
                Request(request.environment, level, request.transitions // 2, request.seed), cache, threads
            )
            for level in ("medium", "expert")
        )
        return concatenate(medium, expert, "medium-expert")
    path = ensure_cached(request, cache, threads)
    arrays, attributes = read_hdf5(path, request.environment)
    if attributes.get("digest_of_learning_arrays") != digest_of_arrays(arrays):
        raise DataError(f"{path} does not match its own checksum; delete it and run again")
    return as_data_set(
        arrays, request.environment, request.level, "own", attributes["digest_of_learning_arrays"]
    )


def ensure_cached(request: Request, cache: Path, threads: int = 1) -> Path:
    """Plays the data unless its file is there; only one process at a time does, the others wait for it."""
    cache.mkdir(parents=True, exist_ok=True)
    digest = request.digest()
    path = cache / f"{request.environment}-{request.level}-{digest[:16]}.hdf5"
    if path.is_file():
        return path
    with _only_one(cache / f"{path.stem}.lock"):
        if path.is_file():  # somebody else made it while we waited
            return path
        for leftover in cache.glob(f"{path.stem}.*.part"):  # of a process that was killed: we hold the lock
            leftover.unlink(missing_ok=True)
        observation_size, action_size = OBSERVATION_AND_ACTION_SIZES[request.environment]
        require_room(cache, request.transitions * (4 * (2 * observation_size + action_size + 1) + 2))
        arrays = play(request, threads)
        learning = {name: array for name, array in arrays.items() if name != "next_observations"}
        part = cache / f"{path.stem}.{os.getpid()}.part"
        try:
            write_hdf5(
                part,
                arrays,
                {
                    "request": json.dumps(asdict(request), sort_keys=True),
                    "digest": digest,
                    "digest_of_learning_arrays": digest_of_arrays(learning),
                },
            )
            part.replace(path)
        except (OSError, RuntimeError) as error:  # HDF5 says some of what the disk says as RuntimeError
            reason = str(error).splitlines()[0]
            raise DataError(
                f"could not write {path.name} ({reason}); free some disk and run again"
            ) from error
        finally:
            part.unlink(missing_ok=True)
    return path


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on `path`; the system releases it when the process ends, however it ends."""
    with path.open("a") as file:
        _lock(file)
        yield


def _lock(file: IO[str]) -> None:
    """Waits for the lock; without one (Windows) two runs both play and the second rename changes nothing."""
    try:
        import fcntl
    except ModuleNotFoundError:
        return
    fcntl.flock(file, fcntl.LOCK_EX)
