from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest

from reproductions.dt_random import collect, d4rl, data
from reproductions.dt_random.behaviour import shipped_path
from reproductions.dt_random.collect import Request, ensure_cached, own_data, play
from reproductions.dt_random.data import (
    DataError,
    as_data_set,
    digest_of_file,
    read_hdf5,
    split_episodes,
    write_hdf5,
)
from reproductions.dt_random.evaluate import normalised_score
from reproductions.dt_random.physics import Environments

pytestmark = pytest.mark.experiment


def flat_arrays(rows: int = 12) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {
        "observations": generator.normal(size=(rows, 11)).astype(np.float32),
        "next_observations": generator.normal(size=(rows, 11)).astype(np.float32),
        "actions": generator.uniform(-1, 1, (rows, 3)).astype(np.float32),
        "rewards": np.arange(rows, dtype=np.float32),
        "terminals": np.zeros(rows, dtype=bool),
        "timeouts": np.zeros(rows, dtype=bool),
    }
    arrays["terminals"][[3]] = True
    arrays["timeouts"][[8]] = True
    return arrays


def test_episodes_end_after_terminals_and_timeouts_and_the_cut_off_rest_is_dropped() -> None:
    arrays = flat_arrays()
    starts, lengths = split_episodes(arrays["terminals"], arrays["timeouts"])
    assert (starts.tolist(), lengths.tolist()) == ([0, 4], [4, 5])
    whole = as_data_set(arrays, "hopper", "random", "own", "")
    assert len(whole.rewards) == 9
    assert whole.terminals.sum() == 1
    assert whole.episode_returns.tolist() == [6.0, 30.0]
    assert whole.returns_to_go.tolist() == [6, 6, 5, 3, 30, 26, 21, 15, 8]
    assert whole.steps_into_episode.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 4]


def test_own_data_are_whole_episodes_as_played_one_after_the_other() -> None:
    arrays = play(Request("hopper", "random", 3000, 0))
    assert 2900 < len(arrays["rewards"]) <= 3000
    assert (arrays["terminals"] ^ arrays["timeouts"])[-1]
    whole = as_data_set(arrays, "hopper", "random", "own", "")
    inside = np.ones(len(whole.rewards), dtype=bool)
    inside[whole.starts + whole.lengths - 1] = False
    np.testing.assert_array_equal(
        arrays["next_observations"][:-1][inside[:-1]], arrays["observations"][1:][inside[:-1]]
    )
    # The first COPIES episodes are those of the first copies, in order, however long they lasted.
    first = Environments("hopper", collect.seeds_from(0, collect.COPIES, purpose=13)).reset()
    np.testing.assert_allclose(whole.observations[whole.starts[: collect.COPIES]], first, atol=1e-6)


def test_data_do_not_depend_on_the_number_of_threads() -> None:
    one, two = (play(Request("halfcheetah", "uniform", 1000, 3), threads) for threads in (1, 2))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


def test_a_time_limit_is_a_timeout_and_a_fall_a_terminal() -> None:
    cheetah = play(Request("halfcheetah", "uniform", 2000, 0))
    assert (cheetah["terminals"].sum(), cheetah["timeouts"].sum()) == (0, 2)
    hopper = play(Request("hopper", "random", 2000, 0))
    assert hopper["timeouts"].sum() == 0


def test_random_data_score_about_one_percent_on_hopper(tmp_path: Path) -> None:
    for level in ("random", "uniform"):
        returns = own_data(Request("hopper", level, 5000, 1), tmp_path).episode_returns
        assert 0.5 < normalised_score(returns, "hopper").mean() < 2.0


def test_medium_expert_is_half_of_each(tmp_path: Path) -> None:
    joined = own_data(Request("hopper", "medium-expert", 4000, 0), tmp_path)
    medium = own_data(Request("hopper", "medium", 2000, 0), tmp_path)
    np.testing.assert_array_equal(joined.rewards[: len(medium.rewards)], medium.rewards)
    assert joined.starts[len(medium.starts)] == len(medium.rewards)
    assert joined.episode_returns[: len(medium.starts)].tolist() == medium.episode_returns.tolist()


class Fake(NamedTuple):
    """Counts how often data are played."""

    calls: list[Request]

    def play(self, request: Request, threads: int = 1) -> dict[str, np.ndarray]:
        self.calls.append(request)
        return flat_arrays()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake([])
    monkeypatch.setattr(collect, "play", fake.play)
    return fake


def test_cached_data_are_played_once_even_by_two_runs_at_a_time(tmp_path: Path, fake: Fake) -> None:
    request = Request("hopper", "random", 12, 0)
    runs = [threading.Thread(target=ensure_cached, args=(request, tmp_path)) for _ in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    own_data(request, tmp_path)
    assert len(fake.calls) == 1
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".hdf5", ".lock"]


def test_another_request_or_other_weights_are_other_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    digests = {Request("hopper", "medium", n, seed).digest() for n in (10, 20) for seed in (0, 1)}
    weights = tmp_path / "other"
    weights.write_bytes(shipped_path("hopper", "expert").read_bytes())
    monkeypatch.setattr(collect, "shipped_path", lambda environment, level: weights)
    assert len(digests | {Request("hopper", "medium", 10, 0).digest()}) == 5


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path, fake: Fake) -> None:
    request = Request("hopper", "random", 12, 0)
    left = tmp_path / f"hopper-random-{request.digest()[:16]}.99.part"
    left.write_bytes(b"half a file")
    ensure_cached(request, tmp_path)
    assert not left.exists()


def test_a_changed_cache_file_is_noticed(tmp_path: Path, fake: Fake) -> None:
    request = Request("hopper", "random", 12, 0)
    path = ensure_cached(request, tmp_path)
    with h5py.File(path, "r+") as file:
        file["rewards"][0] = 5.0
    with pytest.raises(DataError, match="does not match its own checksum; delete it"):
        own_data(request, tmp_path)


def test_a_full_disk_is_said_before_anything_is_played(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(data.shutil, "disk_usage", lambda folder: Usage(70 << 20))
    with pytest.raises(DataError, match=r"has 70 MiB free and the data needs \d+ MiB"):
        ensure_cached(Request("hopper", "random", 1_000_000, 0), tmp_path)
    assert fake.calls == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ant", "random", 10, 0), "unknown environment 'ant'; choose one of hopper"),
        (("hopper", "bad", 10, 0), "unknown kind of data 'bad'; choose one of random"),
        (("hopper", "random", 0, 0), "0 transitions are none"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_line(arguments: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Request(*arguments)


def test_too_few_transitions_for_one_episode_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="hold no whole episode"):
        play(Request("halfcheetah", "uniform", 10, 0))


def broken(tmp_path: Path, **changes: np.ndarray | None) -> Path:
    path, arrays = tmp_path / "file.hdf5", flat_arrays()
    with h5py.File(path, "w") as file:
        for name, array in {**arrays, **changes}.items():
            if array is not None:
                file[name] = array
    return path


def test_a_truncated_file_is_one_line(tmp_path: Path) -> None:
    path = broken(tmp_path)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match="is truncated or not HDF5") as caught:
        read_hdf5(path, "hopper")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_hdf5_or_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file"):
        read_hdf5(tmp_path / "none.hdf5", "hopper")
    (tmp_path / "text.hdf5").write_text("hello")
    with pytest.raises(DataError, match="is truncated or not HDF5"):
        read_hdf5(tmp_path / "text.hdf5", "hopper")


def test_not_a_number_is_found_with_its_row(tmp_path: Path) -> None:
    rewards = flat_arrays()["rewards"]
    rewards[7] = np.nan
    with pytest.raises(DataError, match="rewards has NaN or infinity at row 7"):
        read_hdf5(broken(tmp_path, rewards=rewards), "hopper")


def test_missing_arrays_and_other_shapes_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no array 'timeouts'"):
        read_hdf5(broken(tmp_path, timeouts=None), "hopper")
    with pytest.raises(DataError, match=r"walker2d needs \(12, 17\)"):
        read_hdf5(broken(tmp_path), "walker2d")


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> d4rl.PublishedFile:
    path = tmp_path / "hopper_random-v2.hdf5"
    write_hdf5(path, flat_arrays(), {})
    entry = d4rl.PublishedFile(path.name, path.stat().st_size, digest_of_file(path), "http://192.0.2.1/file")
    monkeypatch.setattr(d4rl, "published_file", lambda environment, level: entry)
    return entry


def test_a_d4rl_file_is_read_by_the_same_loader(tmp_path: Path, published: d4rl.PublishedFile) -> None:
    loaded = d4rl.d4rl_data("hopper", "random", tmp_path)
    assert loaded.episode_returns.tolist() == [6.0, 30.0]
    assert (loaded.origin, loaded.digest) == ("d4rl", published.sha256)
    assert (
        d4rl.download("hopper", "random", tmp_path) == tmp_path / published.name
    )  # already there: no network


def test_a_d4rl_file_with_other_bytes_is_refused(tmp_path: Path, published: d4rl.PublishedFile) -> None:
    path = tmp_path / published.name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="does not match its published SHA-256; delete it"):
        d4rl.d4rl_data("hopper", "random", tmp_path)
    path.write_bytes(content[:-10])
    with pytest.raises(DataError, match="bytes, the published file"):
        d4rl.d4rl_data("hopper", "random", tmp_path)
    path.unlink()
    with pytest.raises(DataError, match="download it from"):
        d4rl.d4rl_data("hopper", "random", tmp_path)


def test_a_download_gets_its_name_only_when_its_checksum_is_right(
    tmp_path: Path, published: d4rl.PublishedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    path = tmp_path / published.name
    content = path.read_bytes()
    path.unlink()
    served = {"content": content[:-1] + b"?"}

    def stream(*arguments: Any, **options: Any) -> Any:
        transport = httpx.MockTransport(lambda request: httpx.Response(200, content=served["content"]))
        return httpx.Client(transport=transport).stream("GET", published.url)

    monkeypatch.setattr(httpx, "stream", stream)
    with pytest.raises(DataError, match="SHA-256"):
        d4rl.download("hopper", "random", tmp_path)
    assert list(tmp_path.iterdir()) == []
    served["content"] = content
    assert d4rl.download("hopper", "random", tmp_path).read_bytes() == content


def test_no_network_is_one_line(
    tmp_path: Path, published: d4rl.PublishedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    def stream(*arguments: Any, **options: Any) -> Any:
        raise httpx.ConnectError("no route")

    monkeypatch.setattr(httpx, "stream", stream)
    (tmp_path / published.name).unlink()
    with pytest.raises(DataError, match=r"could not download .* fetch it by other means"):
        d4rl.download("hopper", "random", tmp_path)


def test_every_published_file_has_a_checksum() -> None:
    for environment in data.OBSERVATION_AND_ACTION_SIZES:
        for level in data.LEVELS:
            entry = d4rl.published_file(environment, level)
            assert len(entry.sha256) == 64
            assert entry.name == f"{environment}_{level.replace('-', '_')}-v2.hdf5"
    with pytest.raises(DataError, match="D4RL has no 'uniform' data"):
        d4rl.published_file("hopper", "uniform")
