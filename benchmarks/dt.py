"""The Decision Transformer of `dt-random` beside CORL's: a training step, what is learnt, evaluation, memory.

    python -m benchmarks.dt [PART ...] [--corl PATH] [--json]

`steps`       one update at the paper's size (context 20, embedding 128, 3 layers, 1 head, batch 64, dropout 0.1,
              Hopper), one thread, the same batches; ours in bfloat16 (as runs have it where the processor does) and
              in float32. Ours draws its batches inside the measured time, CORL is handed them.
`curves`      both learn the same data from their own initialisations with the same batches and schedule; CORL once
              as it is and once with the initialisation and the activation of the paper's code; and, as a proof that
              they are the same network, from the same weights without dropout.
`evaluation`  episodes a second of 100 episodes at once, as runs play them (in bfloat16 where the processor has it),
              against CORL's own `eval_rollout` one after the other: the same weights, the same seeds, so in float32 the
              same episodes; at quick's size and at the paper's.
`memory`      the peak of `kb reproduce dt-random` (quick, a quarter of an hour), summed over its processes; only when
              asked for.

CORL is cloned at the first call into .venv-peers, or named with --corl or KB_CORL; see `_corl.py`. All that is
compared runs in this process in turn, and what is compared is CPU time.

Exit code 1 when a promise is not kept: an update in half of CORL's time, curves that agree with CORL's within the noise
between seeds once it begins as the paper's code does, ten times CORL's episodes a second at quick's size, 2 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kb.reproduce.process import KEPT_KERNELS

os.environ.update(KEPT_KERNELS | os.environ)  # before torch, as runs have it

import numpy as np
import torch

from benchmarks import _corl, _memory
from reproductions.dt_random.batches import StepSampler, Windows
from reproductions.dt_random.collect import Request, play
from reproductions.dt_random.data import as_data_set
from reproductions.dt_random.decision_transformer import (
    PAPER,
    RETURN_SCALE,
    SMALL,
    TARGET_RETURNS,
    DecisionTransformer,
    Sizes,
    action_error,
)
from reproductions.dt_random.evaluate import decision_transformer_actor, play_episodes
from reproductions.dt_random.learners import train_decision_transformer
from reproductions.dt_random.physics import seeds_from
from reproductions.dt_random.training import Schedule, Training, processor_has_bfloat16

ENVIRONMENT = "hopper"
TARGET = TARGET_RETURNS[ENVIRONMENT][0]
TIMES_FASTER = 2.0
TIMES_THE_EPISODES = 10.0
SAME = 1e-3
"""Largest relative difference of the losses of two networks that are the same, after some updates in float32."""
MEMORY_MB = 2_000.0
PARTS = ("steps", "curves", "evaluation", "memory")
Result = dict[str, Any]


def small_data(transitions: int) -> StepSampler:
    """Episodes of the medium policy, as a run plays them."""
    arrays = play(Request(ENVIRONMENT, "medium", transitions, seed=0))
    return StepSampler(as_data_set(arrays, ENVIRONMENT, "medium", "own", ""))


def upcoming(loop: Training, sampler: StepSampler, updates: int) -> list[Windows]:
    """The batches that the loop is about to draw."""
    generator = torch.Generator()
    generator.set_state(loop.batches.get_state())
    return [sampler.windows(loop.schedule.batch, PAPER.context, generator) for _ in range(updates)]


def ours(
    sampler: StepSampler, schedule: Schedule, seed: int, bfloat16: bool, sizes: Sizes = PAPER
) -> Training:
    """Our network and its loop, as a run begins it."""
    return train_decision_transformer(sampler, schedule, seed, sizes, bfloat16)[1]


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor seconds of this process for one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def spread(values: list[float]) -> dict[str, float]:
    """Least, median and most."""
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def steps(corl: Any, sampler: StepSampler, rounds: int, updates: int) -> Result:
    """Updates a CPU second of each side, in blocks that take turns; ratios are block by block."""
    schedule = Schedule()  # the paper's
    loops = {"float32": ours(sampler, schedule, 0, False)}
    if processor_has_bfloat16():
        loops["bfloat16"] = ours(sampler, schedule, 0, True)
    theirs = _corl.Updates(_corl.model(corl, sampler, PAPER, 0), schedule)
    rates: dict[str, list[float]] = {name: [] for name in ("corl", *loops)}

    def block(name: str, batches: list[tuple[torch.Tensor, ...]]) -> None:
        if name == "corl":
            for batch in batches:
                theirs.update(batch)
        else:
            loops[name].run(len(batches))

    order = list(rates)
    for turn in range(rounds + 1):  # the first warms up
        batches = [_corl.batch_of(windows) for windows in upcoming(loops["float32"], sampler, updates)]
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            seconds = cpu_seconds(partial(block, name, batches))
            if turn:
                rates[name].append(updates / seconds)
    out: Result = {f"{name}_updates_a_second": spread(values) for name, values in rates.items()}
    for name in loops:
        ratios = [own / their for own, their in zip(rates[name], rates["corl"], strict=True)]
        out[f"{name}_times_corl"] = spread(ratios)
    best = "bfloat16" if "bfloat16" in loops else "float32"
    out["kept"] = out[f"{best}_times_corl"]["median"] >= TIMES_FASTER
    return out


def curves(corl: Any, sampler: StepSampler, seeds: int, updates: int) -> Result:
    """Mean action error over the updates of each side and seed; seed k of every side sees the same batches.

    Of each curve its second half is compared: the difference of the sides' means beside the deviation between seeds.
    """
    schedule = Schedule(updates=updates, learning_rate=1e-3, warmup=updates // 4)
    found: dict[str, list[list[float]]] = {"corl": [], "corl_as_the_paper": [], "float32": []}
    if processor_has_bfloat16():
        found["bfloat16"] = []
    for seed in range(seeds):
        for name, kept in found.items():
            loop = ours(sampler, schedule, seed, name == "bfloat16")
            if name.startswith("corl"):
                network = _corl.model(corl, sampler, PAPER, seed)
                if name == "corl_as_the_paper":
                    _corl.as_the_paper(network)
                theirs = _corl.Updates(network, schedule)
                kept.append([_their_error(theirs, windows) for windows in upcoming(loop, sampler, updates)])
            else:
                kept.append([loop.run(1) for _ in range(updates)])
    late = {name: [statistics.fmean(curve[updates // 2 :]) for curve in kept] for name, kept in found.items()}
    points = np.array_split(np.arange(updates), min(updates, 10))
    out: Result = {
        "curves": {
            name: [round(float(np.array(kept)[:, point].mean()), 4) for point in points]
            for name, kept in found.items()
        },
        "later_half": late,
        "same_network": same_network(corl, sampler, min(updates, 20)),
    }
    out["kept"] = out["same_network"]["largest_difference"] <= SAME
    for one, other in (
        ("float32", "corl"),
        ("float32", "corl_as_the_paper"),
        ("bfloat16", "corl_as_the_paper"),
        ("bfloat16", "float32"),
    ):
        if one in late and other in late:
            difference = statistics.fmean(late[one]) - statistics.fmean(late[other])
            noise = max(statistics.stdev(late[one]), statistics.stdev(late[other]))
            out[f"{one} - {other}"] = {"difference": difference, "deviation_between_seeds": noise}
            if other != "corl":  # which begins elsewhere, and is told beside it
                out["kept"] &= abs(difference) <= 2 * noise
    return out


def _their_error(theirs: _corl.Updates, windows: Windows) -> float:
    """One update of CORL's; its loss over the steps that are not padding, which is what ours counts."""
    valid = windows.valid
    return theirs.update(_corl.batch_of(windows)) * valid.numel() / float(valid.sum())


def same_network(corl: Any, sampler: StepSampler, updates: int) -> Result:
    """From the same weights on the same batches, without dropout, relu in both, no window with padding.

    CORL counts padding as no error, ours leaves it out: with padding they are scaled differently, no more than that.
    """
    schedule = Schedule(updates=updates, learning_rate=1e-3, warmup=5)
    sizes = replace(PAPER, dropout=0.0)
    network, loop = train_decision_transformer(sampler, schedule, 0, sizes)
    theirs = _corl.Updates(_corl.twin(corl, network, sampler), schedule)
    long = torch.nonzero(sampler.remaining >= sizes.context)[:, 0]
    generator = torch.Generator().manual_seed(1)
    worst, losses = 0.0, []
    for _ in range(updates):
        starts = long[torch.randint(len(long), (schedule.batch,), generator=generator)]
        rows = starts[:, None] + torch.arange(sizes.context)
        windows = Windows(
            sampler.returns[rows] / RETURN_SCALE,
            sampler.states[rows],
            sampler.actions[rows],
            sampler.timesteps[rows],
            torch.ones(rows.shape),
        )
        loop.loss = lambda _, w=windows: action_error(  # type: ignore[misc]
            network(w.returns_to_go, w.states, w.actions, w.timesteps), w.actions, w.valid
        )
        own, their = loop.run(1), theirs.update(_corl.batch_of(windows))
        worst = max(worst, abs(own - their) / their)
        losses.append(own)
    return {"updates": updates, "first_loss": losses[0], "last_loss": losses[-1], "largest_difference": worst}


def evaluation(corl: Any, sampler: StepSampler, rounds: int, episodes: int, theirs_episodes: int) -> Result:
    """Episodes and steps a CPU second, by size of the network."""
    out: Result = {}
    for name, sizes, schedule in (
        ("quick_size", SMALL, Schedule(600, batch=16, learning_rate=2e-3, warmup=100, cosine=True)),
        ("paper_size", PAPER, Schedule(150, learning_rate=1e-3, warmup=50, cosine=True)),
    ):
        network, loop = train_decision_transformer(sampler, schedule, 0, sizes, processor_has_bfloat16())
        loop.run(schedule.updates)
        out[name] = _played(corl, network, sampler, rounds, episodes, theirs_episodes)
    best = "bfloat16" if processor_has_bfloat16() else "float32"
    out["kept"] = out["quick_size"][f"{best}_times_the_episodes"]["median"] >= TIMES_THE_EPISODES
    return out


def _played(
    corl: Any, network: DecisionTransformer, sampler: StepSampler, rounds: int, episodes: int, few: int
) -> Result:
    twin = _corl.twin(corl, network, sampler).eval()
    environment = _corl.OneEnvironment(ENVIRONMENT, sampler)
    seeds = seeds_from(0, episodes, purpose=21)
    sides = ["corl", "float32", *(["bfloat16"] if processor_has_bfloat16() else [])]
    rates: dict[str, list[float]] = {name: [] for side in sides for name in (side, f"{side}_steps")}
    result: Result = {}

    def together(side: str) -> None:
        act = decision_transformer_actor(network, sampler, episodes, bfloat16=side == "bfloat16")
        lengths = np.zeros(episodes)

        def counting(observations: Any, wanted: Any, running: Any, now: int) -> torch.Tensor:
            lengths[running] += 1
            return act(observations, wanted, running, now)

        result[side] = (play_episodes(counting, ENVIRONMENT, TARGET, seeds), lengths)

    def one_by_one() -> None:
        played = []
        for environment.seed in seeds[:few]:
            played.append(corl.eval_rollout(twin, environment, TARGET / RETURN_SCALE))
        returns, lengths = np.array(played).T
        result["corl"] = (returns * RETURN_SCALE, lengths)

    work = {side: partial(together, side) for side in sides[1:]} | {"corl": one_by_one}
    for turn in range(rounds):
        for side in sides[turn % len(sides) :] + sides[: turn % len(sides)]:
            seconds = cpu_seconds(work[side])
            lengths = result[side][1]
            rates[side].append(len(lengths) / seconds)
            rates[f"{side}_steps"].append(float(lengths.sum()) / seconds)
    own, their = result["float32"], result["corl"]
    out: Result = {
        "ours_episodes": episodes,
        "corl_episodes": few,
        "mean_length": {side: float(result[side][1].mean()) for side in sides},
        "mean_return": {side: float(result[side][0].mean()) for side in sides},
        "same_episodes": [
            {"seed": k, "return": [float(own[0][k]), float(their[0][k])], "length": [own[1][k], their[1][k]]}
            for k in range(few)
        ],
    }
    for side in sides:
        out[f"{side}_episodes_a_second"] = spread(rates[side])
        out[f"{side}_steps_a_second"] = spread(rates[f"{side}_steps"])
    for side in sides[1:]:
        for what, suffix in (("episodes", ""), ("steps", "_steps")):
            pairs = zip(rates[side + suffix], rates["corl" + suffix], strict=True)
            out[f"{side}_times_the_{what}"] = spread([a / b for a, b in pairs])
    return out


def memory(preset: str) -> Result:
    """Peak of the whole command, its data freshly made, summed over its processes."""
    kb = str(Path(sys.executable).with_name("kb"))
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "KB_CACHE": f"{folder}/cache", "KB_DB": f"{folder}/store.db"}
        environment["NO_COLOR"] = "1"
        command = [kb, "reproduce", "dt-random", "--preset", preset, "--out", f"{folder}/runs", "--json"]
        held, processes = _memory.peak(command, environment)
    return {"preset": preset, "peak_mb": held, "processes": processes, "kept": held < MEMORY_MB}


def told(result: Any, indent: str = "  ") -> None:
    """A result, a line for each figure."""
    for name, value in result.items():
        if isinstance(value, dict) and set(value) == {"min", "median", "max"}:
            print(f"{indent}{name:<28} {value['median']:8.2f}  [{value['min']:.2f}, {value['max']:.2f}]")
        elif isinstance(value, dict):
            print(f"{indent}{name}")
            told(value, indent + "  ")
        elif isinstance(value, list):
            print(f"{indent}{name:<28} {'  '.join(_short(item) for item in value)}")
        else:
            print(f"{indent}{name:<28} {_short(value)}", flush=True)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {_short(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return "/".join(_short(item) for item in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def main() -> int:
    """Measure, print, and say by the exit code whether the promises are kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dt", description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="steps, curves, evaluation, memory")
    parser.add_argument("--corl", metavar="PATH", help="CORL's dt.py, or a clone of its repository")
    parser.add_argument("--rounds", type=int, default=10, help="of steps; a third of it of evaluation")
    parser.add_argument("--block", type=int, default=8, help="updates in a round of steps")
    parser.add_argument("--seeds", type=int, default=3, help="of curves, on each side (2 at least)")
    parser.add_argument("--updates", type=int, default=200, help="of a curve")
    parser.add_argument("--episodes", type=int, default=100, help="of ours, played together")
    parser.add_argument("--one-by-one", type=int, default=5, help="episodes of CORL's evaluation")
    parser.add_argument("--transitions", type=int, default=30_000, help="steps in the data set")
    parser.add_argument("--preset", default="quick", help="of memory")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    options = parser.parse_args()
    parts = options.parts or PARTS[:-1]
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"no part {unknown[0]}; choose from {', '.join(PARTS)}")
    if options.seeds < 2:
        parser.error("one seed has no spread; give 2 at least")
    torch.set_num_threads(1)
    found: Result = {}
    if set(parts) != {"memory"}:
        text, version = _corl.source(options.corl)
        corl, sampler = _corl.load(text), small_data(options.transitions)
        found["corl"] = {"version": version, "torch": torch.__version__}
    work: dict[str, Callable[[], Result]] = {
        "steps": lambda: steps(corl, sampler, options.rounds, options.block),
        "curves": lambda: curves(corl, sampler, options.seeds, options.updates),
        "evaluation": lambda: evaluation(
            corl, sampler, max(options.rounds // 3, 1), options.episodes, options.one_by_one
        ),
        "memory": lambda: memory(options.preset),
    }
    for part in PARTS:  # each is told as soon as it is measured
        if part in parts:
            found[part] = work[part]()
            if not options.json:
                told({part: found[part]}, "")
    print(json.dumps(found, indent=1) if options.json else _short(found.get("corl", {})))
    return 0 if all(found[part]["kept"] for part in PARTS if part in found) else 1


if __name__ == "__main__":
    sys.exit(main())
