from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reproductions.dt_random.batches import StepSampler
from reproductions.dt_random.data import DataSet, as_data_set
from reproductions.dt_random.decision_transformer import (
    PAPER,
    RETURN_SCALE,
    DecisionTransformer,
    Sizes,
    action_error,
)
from reproductions.dt_random.learners import train_decision_transformer
from reproductions.dt_random.training import CheckpointError, Schedule, processor_has_bfloat16, seeded

pytestmark = pytest.mark.experiment
TINY = Sizes(context=5, width=16, layers=2, dropout=0.1)


@pytest.fixture
def data_set() -> DataSet:
    rows, generator = 60, np.random.default_rng(0)
    ends = np.zeros(rows, dtype=bool)
    ends[[1, 9, 10, 40, 59]] = True
    arrays = {
        "observations": (3 + 2 * generator.normal(size=(rows, 4))).astype(np.float32),
        "actions": generator.uniform(-1, 1, (rows, 2)).astype(np.float32),
        "rewards": generator.normal(size=rows).astype(np.float32),
        "terminals": ends,
        "timeouts": np.zeros(rows, dtype=bool),
    }
    return as_data_set(arrays, "hopper", "random", "own", "")


def inputs(batch: int, length: int, seed: int = 0) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    returns = torch.randn(batch, length, generator=generator)
    states = torch.randn(batch, length, 4, generator=generator)
    actions = torch.rand(batch, length, 2, generator=generator) * 2 - 1
    return returns, states, actions, torch.arange(length).expand(batch, length) + 7


def by_the_paper(
    model: DecisionTransformer, r: torch.Tensor, s: torch.Tensor, a: torch.Tensor, t: torch.Tensor
) -> torch.Tensor:
    """Algorithm 1 done naively: all tokens through all layers, attention written out, states picked at the end."""
    batch, length = t.shape
    tokens = torch.zeros(batch, 3 * length, model.sizes.width)
    tokens[:, 0::3] = model.embed_R(r[..., None]) + model.embed_t(t)
    tokens[:, 1::3] = model.embed_s(s) + model.embed_t(t)
    tokens[:, 2::3] = model.embed_a(a) + model.embed_t(t)
    tokens = model.embed_norm(tokens)
    for block in model.blocks:
        normed = block.attention_norm(tokens)
        query = block.query(normed)
        key, value = block.key_value(normed).chunk(2, dim=-1)
        scores = query @ key.transpose(1, 2) / model.sizes.width**0.5
        future = torch.ones(3 * length, 3 * length, dtype=torch.bool).triu(1)
        tokens = tokens + block.attention_out(scores.masked_fill(future, -torch.inf).softmax(-1) @ value)
        tokens = tokens + block.mlp_out(torch.relu(block.mlp_in(block.mlp_norm(tokens))))
    return torch.tanh(model.pred_a(model.final_norm(tokens)[:, 1::3]))


@torch.no_grad()
def test_the_shortened_computation_is_the_papers() -> None:
    model = seeded(lambda: DecisionTransformer(4, 2, TINY), 0)
    arguments = inputs(3, 5)
    expected = by_the_paper(model, *arguments)
    torch.testing.assert_close(model(*arguments), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(model(*arguments, last_only=True), expected[:, -1:], atol=1e-6, rtol=0)


@torch.no_grad()
def test_a_prediction_sees_its_return_and_state_but_neither_its_action_nor_the_future() -> None:
    model = seeded(lambda: DecisionTransformer(4, 2, TINY), 0)
    arguments = inputs(2, 5)
    before = model(*arguments)
    for which, changes in ((0, True), (1, True), (2, False)):
        changed = [argument.clone() for argument in arguments]
        changed[which][:, 2] += 1.0
        after = model(*changed)
        torch.testing.assert_close(after[:, :2], before[:, :2])
        assert torch.equal(after[:, 2], before[:, 2]) is not changes
        assert not torch.allclose(after[:, 3:], before[:, 3:])


@torch.no_grad()
def test_padding_on_the_right_changes_nothing_before_it() -> None:
    model = seeded(lambda: DecisionTransformer(4, 2, TINY), 0)
    returns, states, actions, times = inputs(2, 3)
    padded = [
        torch.cat([part, torch.zeros_like(part[:, :2])], dim=1) for part in (returns, states, actions, times)
    ]
    torch.testing.assert_close(model(*padded)[:, :3], model(returns, states, actions, times))


def test_the_papers_model_has_the_papers_size() -> None:
    model = DecisionTransformer(11, 3, PAPER)
    blocks = sum(parameter.numel() for parameter in model.blocks.parameters())
    assert blocks == 3 * (12 * 128**2 + 13 * 128)  # GPT-2's, three layers of width 128
    assert model.embed_t.num_embeddings == 1000


def test_windows_start_anywhere_and_end_with_their_episode(data_set: DataSet) -> None:
    sampler = StepSampler(data_set)
    windows = sampler.windows(4000, 5, torch.Generator().manual_seed(0))
    mean, deviation = data_set.observation_moments()
    standardised = torch.from_numpy((data_set.observations - mean) / deviation)
    seen = set()
    for row in range(300):
        length = int(windows.valid[row].sum())
        match = (standardised == windows.states[row, 0]).all(dim=1).nonzero()
        start = int(match[0])
        seen.add(start)
        episode = int(np.searchsorted(data_set.starts, start, side="right") - 1)
        end = int(data_set.starts[episode] + data_set.lengths[episode])
        assert length == min(5, end - start)
        torch.testing.assert_close(windows.states[row, :length], standardised[start : start + length])
        expected = torch.from_numpy(data_set.returns_to_go[start : start + length]) / RETURN_SCALE
        torch.testing.assert_close(windows.returns_to_go[row, :length], expected)
        assert (
            windows.timesteps[row, :length].tolist()
            == data_set.steps_into_episode[start : start + length].tolist()
        )
        assert not windows.states[row, length:].any()
        assert not windows.timesteps[row, length:].any()
    assert len(seen) > 50  # of 60 possible starts
    torch.testing.assert_close(sampler.states.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(sampler.states.std(0, correction=0), torch.ones(4), atol=1e-5, rtol=0)


def test_shuffled_returns_keep_their_values_and_lose_their_places(data_set: DataSet) -> None:
    plain, shuffled = StepSampler(data_set), StepSampler(data_set, shuffled_returns_seed=0)
    assert not torch.equal(plain.returns, shuffled.returns)
    assert torch.equal(plain.returns.sort().values, shuffled.returns.sort().values)


def test_padding_does_not_count_in_the_error() -> None:
    predicted, actions = torch.zeros(1, 3, 2), torch.ones(1, 3, 2)
    actions[0, 2] = 100.0
    assert action_error(predicted, actions, torch.tensor([[1.0, 1.0, 0.0]])) == 1.0


def test_the_learning_rate_rises_linearly_and_stays_unless_it_falls() -> None:
    paper = Schedule()
    assert [paper.factor(update) for update in (0, 4999, 9999, 50_000)] == [1e-4, 0.5, 1.0, 1.0]
    cosine = Schedule(updates=100, warmup=10, cosine=True)
    assert cosine.factor(55) == pytest.approx(0.5)
    assert cosine.factor(99) < 0.001


@pytest.mark.parametrize("bfloat16", [False, True])
def test_training_that_stopped_goes_on_exactly(data_set: DataSet, tmp_path: Path, bfloat16: bool) -> None:
    if bfloat16 and not processor_has_bfloat16():
        bfloat16 = False
    schedule = Schedule(updates=6, batch=8, warmup=3)
    sampler = StepSampler(data_set)
    model, training = train_decision_transformer(sampler, schedule, 5, TINY, bfloat16)
    training.run(3)
    training.save(tmp_path / "state.pt")
    torch.manual_seed(99)  # what else the process draws makes no difference
    training.run(100)
    again, resumed = train_decision_transformer(sampler, schedule, 5, TINY, bfloat16)
    resumed.restore(tmp_path / "state.pt")
    resumed.run(100)
    assert resumed.update == training.update == 6
    assert resumed.recent_loss == training.recent_loss
    for name, parameter in model.state_dict().items():
        assert torch.equal(parameter, again.state_dict()[name])


def test_a_broken_or_foreign_checkpoint_is_one_line(data_set: DataSet, tmp_path: Path) -> None:
    sampler, schedule = StepSampler(data_set), Schedule(updates=2, batch=4)
    _, training = train_decision_transformer(sampler, schedule, 0, TINY)
    path = tmp_path / "state.pt"
    training.save(path)
    _, other = train_decision_transformer(sampler, schedule, 0, Sizes(context=5, width=8, layers=2))
    with pytest.raises(CheckpointError, match="other sizes; delete it"):
        other.restore(path)
    _, rounded = train_decision_transformer(sampler, schedule, 0, TINY, bfloat16=True)
    with pytest.raises(CheckpointError, match="without bfloat16"):
        rounded.restore(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CheckpointError, match="not a usable checkpoint") as caught:
        training.restore(path)
    assert "\n" not in str(caught.value)


def test_the_model_learns_actions_that_depend_on_the_return(data_set: DataSet) -> None:
    sampler = StepSampler(data_set)
    sampler.actions = sampler.returns[:, None].sign().expand(-1, 2).contiguous() * 0.8
    schedule = Schedule(updates=150, batch=32, learning_rate=3e-3, warmup=10)
    _, training = train_decision_transformer(
        sampler, schedule, 0, Sizes(context=3, width=16, layers=1, dropout=0.0)
    )
    first = training.run(10)
    training.run(130)
    assert training.run(10) < 0.3 * first
