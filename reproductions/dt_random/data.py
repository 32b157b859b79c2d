"""Data sets of recorded behaviour: how they are laid out, read, checked and split into episodes.

One layout serves own data and D4RL's v2 files (https://github.com/Farama-Foundation/D4RL, wiki "Tasks"): an
HDF5 file of flat arrays with one row a step, in the order played:

    observations (N, observation size) f4    next_observations, the same    actions (N, action size) f4
    rewards (N,) f4    terminals (N,) bool    timeouts (N,) bool

`terminals` marks a step after which the environment itself ended the episode (a fall), `timeouts` one after
which the time limit did; an episode ends after either. What follows the last of these marks is an episode
that the end of the file cut short, and is dropped. D4RL's `infos/` and `metadata/` are neither written nor
read.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import h5py  # type: ignore[import-untyped]

Single = NDArray[np.float32]
FIELDS = ("observations", "next_observations", "actions", "rewards", "terminals", "timeouts")
_REQUIRED = ("observations", "actions", "rewards", "terminals", "timeouts")
OBSERVATION_AND_ACTION_SIZES = {"hopper": (11, 3), "halfcheetah": (17, 6), "walker2d": (17, 6)}
LEVELS = ("random", "medium", "expert", "medium-expert", "medium-replay")


class DataError(ValueError):
    """Data that cannot be used; the message is one line and says what to do."""


@dataclass(frozen=True)
class DataSet:
    """Whole episodes of one environment, steps of all episodes one after the other."""

    environment: str
    level: str
    origin: str
    """`own` or `d4rl`."""
    digest: str
    """SHA-256 that identifies the content: of the arrays (own) or of the file (D4RL)."""
    observations: Single
    """Shape (N, observation size)."""
    actions: Single
    """Shape (N, action size)."""
    rewards: Single
    """Shape (N,)."""
    terminals: NDArray[np.bool_]
    """Shape (N,): the environment ended the episode after this step."""
    starts: NDArray[np.int64]
    """Shape (episodes,): row of each episode's first step."""
    lengths: NDArray[np.int64]
    """Shape (episodes,): number of steps of each episode."""

    @property
    def episode_returns(self) -> NDArray[np.float64]:
        """Undiscounted return of each episode, shape (episodes,)."""
        return np.asarray(np.add.reduceat(self.rewards.astype(np.float64), self.starts))

    @property
    def returns_to_go(self) -> Single:
        """Sum of the rewards from each step to its episode's end, shape (N,); section 3 of the paper."""
        before = np.concatenate([[0.0], np.cumsum(self.rewards, dtype=np.float64)])
        ends = np.repeat(self.starts + self.lengths, self.lengths)
        return np.asarray(before[ends] - before[:-1], dtype=np.float32)

    @property
    def steps_into_episode(self) -> NDArray[np.int64]:
        """Each step's time since its episode began, from 0, shape (N,)."""
        return np.arange(len(self.rewards)) - np.repeat(self.starts, self.lengths)

    def observation_moments(self) -> tuple[Single, Single]:
        """Mean and standard deviation (plus 1e-6) of the observations, each (observation size,)."""
        mean = self.observations.mean(axis=0, dtype=np.float64)
        deviation = self.observations.std(axis=0, dtype=np.float64) + 1e-6
        return mean.astype(np.float32), deviation.astype(np.float32)


def split_episodes(
    terminals: NDArray[np.bool_], timeouts: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and lengths of the complete episodes in flat arrays of N steps."""
    ends = np.flatnonzero(terminals | timeouts) + 1
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int64) if len(ends) else np.zeros(0, dtype=np.int64)
    return starts, (ends - starts).astype(np.int64)


def as_data_set(
    arrays: dict[str, NDArray[Any]], environment: str, level: str, origin: str, digest: str
) -> DataSet:
    """Splits flat arrays into episodes and drops the one that was cut short."""
    starts, lengths = split_episodes(arrays["terminals"], arrays["timeouts"])
    if not len(starts):
        raise DataError(f"{environment} {level}: no complete episode in the data; ask for more transitions")
    kept = int(starts[-1] + lengths[-1])
    return DataSet(
        environment=environment,
        level=level,
        origin=origin,
        digest=digest,
        observations=arrays["observations"][:kept],
        actions=arrays["actions"][:kept],
        rewards=arrays["rewards"][:kept],
        terminals=arrays["terminals"][:kept],
        starts=starts,
        lengths=lengths,
    )


def concatenate(first: DataSet, second: DataSet, level: str) -> DataSet:
    """The steps of `first`, then those of `second`, as D4RL makes medium-expert out of its two parts."""
    if first.environment != second.environment:
        raise DataError(
            f"cannot join data of {first.environment} and {second.environment}; use one environment"
        )
    return DataSet(
        environment=first.environment,
        level=level,
        origin=first.origin,
        digest=hashlib.sha256(f"{first.digest}+{second.digest}".encode()).hexdigest(),
        observations=np.concatenate([first.observations, second.observations]),
        actions=np.concatenate([first.actions, second.actions]),
        rewards=np.concatenate([first.rewards, second.rewards]),
        terminals=np.concatenate([first.terminals, second.terminals]),
        starts=np.concatenate([first.starts, second.starts + len(first.rewards)]),
        lengths=np.concatenate([first.lengths, second.lengths]),
    )


def digest_of_arrays(arrays: dict[str, NDArray[Any]]) -> str:
    """SHA-256 over the arrays of the layout, their names, types and shapes."""
    digest = hashlib.sha256()
    for name in FIELDS:
        if name in arrays:
            array = np.ascontiguousarray(arrays[name])
            digest.update(f"{name}:{array.dtype.str}:{array.shape}".encode())
            digest.update(array.tobytes())
    return digest.hexdigest()


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return (
            hashlib.file_digest(file, "sha256").hexdigest()
            if hasattr(hashlib, "file_digest")
            else _slow_digest(path)
        )


def _slow_digest(path: Path) -> str:
    """What `hashlib.file_digest` does, for Python 3.10."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def require_room(folder: Path, wanted: int) -> None:
    """Raises DataError unless the disk of `folder` has `wanted` bytes and a reserve of 64 MiB free."""
    free = shutil.disk_usage(folder).free
    needed = wanted + (64 << 20)
    if free < needed:
        raise DataError(
            f"the disk of {folder} has {free >> 20} MiB free and the data needs {needed >> 20} MiB; "
            "free some, choose another cache folder, or ask for fewer transitions"
        )


def write_hdf5(path: Path, arrays: dict[str, NDArray[Any]], attributes: dict[str, str]) -> None:
    """Writes flat arrays in the layout above, with `attributes` on the file; no checks, no cleverness."""
    import h5py

    with h5py.File(path, "w") as file:
        for name in FIELDS:
            file.create_dataset(name, data=arrays[name])
        for key, value in attributes.items():
            file.attrs[key] = value


def read_hdf5(path: Path, environment: str) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The arrays that learning needs and the file's attributes; every defect is a one-line DataError."""
    try:
        import h5py
    except ModuleNotFoundError:
        raise DataError("h5py is not installed; install the extra: pip install 'interp-kb[mujoco]'") from None
    if environment not in OBSERVATION_AND_ACTION_SIZES:
        known = ", ".join(OBSERVATION_AND_ACTION_SIZES)
        raise DataError(f"unknown environment {environment!r}; choose one of {known}")
    if not path.is_file():
        raise DataError(f"no file {path}; give the folder that holds it, or let it be made")
    try:
        with h5py.File(path, "r") as file:
            arrays = {name: _array(file, name, path) for name in _REQUIRED}
            attributes = {key: str(value) for key, value in file.attrs.items()}
    except (OSError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{path} is truncated or not HDF5 ({reason}); delete it and fetch or make it again"
        ) from None
    _check(arrays, environment, path)
    return arrays, attributes


def _array(file: h5py.File, name: str, path: Path) -> NDArray[Any]:
    if name not in file:
        raise DataError(f"{path} has no array {name!r}; it is not a D4RL v2 file, use one")
    kind = np.bool_ if name in ("terminals", "timeouts") else np.float32
    return np.asarray(file[name][()]).astype(kind, copy=False)


def _check(arrays: dict[str, NDArray[Any]], environment: str, path: Path) -> None:
    rows = len(arrays["rewards"])
    observation_size, action_size = OBSERVATION_AND_ACTION_SIZES[environment]
    expected = {"observations": (rows, observation_size), "actions": (rows, action_size)}
    for name, array in arrays.items():
        shape = expected.get(name, (rows,))
        if array.shape != shape:
            raise DataError(
                f"{path}: {name} has shape {array.shape}, {environment} needs {shape}; use the right file"
            )
        if array.dtype == np.float32 and not np.isfinite(array).all():
            row = int(np.argwhere(~np.isfinite(array))[0][0])
            raise DataError(
                f"{path}: {name} has NaN or infinity at row {row}; delete it and fetch or make it again"
            )
