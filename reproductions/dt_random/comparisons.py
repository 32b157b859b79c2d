"""What is trained and compared: every learner on every data set, with its controls, as one list of trainings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LEARNERS = {
    "dt": "Decision Transformer",
    "dt_shuffled": "Decision Transformer trained on returns-to-go that changed places among all steps (null control)",
    "dt_untrained": "Decision Transformer before its first update (null control)",
    "dt_paper_size": "Decision Transformer at the paper's size",
    "bc": "behaviour cloning: an MLP on the state alone",
    "rvs": "RvS-R: the same MLP, told the average reward still wanted",
}


@dataclass(frozen=True)
class Training:
    """One network: which learner, on which data, from which seed."""

    learner: str
    environment: str
    level: str
    """Of the data set: random, uniform, medium, expert or medium-expert."""
    index: int
    """Of the training seed: the independent unit."""

    @property
    def name(self) -> str:
        """As files and progress name it."""
        return f"{self.environment}-{self.level}-{self.learner}-{self.index}"

    @property
    def sample(self) -> str:
        """As the manifest's `samples` name its score."""
        return f"{self.environment}_{self.level}_{self.learner}".replace("-", "_")

    @property
    def unit(self) -> str:
        """As samples name the independent unit."""
        return f"seed {self.index}"


def trainings(
    environments: tuple[str, ...],
    seeds: int,
    judged_seeds: int,
    paper_size_on: tuple[str, ...] = (),
    further_controls: bool = False,
) -> Iterator[Training]:
    """Every training of a run, environment by environment.

    The Decision Transformer sees all three data sets; the baselines the worst and the best; the shuffled control the
    worst, where the question is whether the return does anything. Further controls, on the first environment: shuffled
    returns on the best data, and uniform actions, the other way to make random data. The paper's size is for
    `paper_size_on`.

    `judged_seeds` is the number of training seeds of what the criteria judge: the Decision Transformer on random data
    and, as its positive control, on medium-expert data. All others get `seeds`, the first of those.
    """
    for number, environment in enumerate(environments):
        compared = [
            ("dt", "random"),
            ("dt", "medium"),
            ("dt", "medium-expert"),
            ("dt_shuffled", "random"),
            ("dt_untrained", "random"),
            ("bc", "random"),
            ("bc", "medium-expert"),
            ("rvs", "random"),
            ("rvs", "medium-expert"),
        ]
        if further_controls and number == 0:
            compared += [("dt", "uniform"), ("dt_shuffled", "medium-expert")]
        if environment in paper_size_on:
            compared += [("dt_paper_size", "random"), ("dt_paper_size", "medium-expert")]
        for learner, level in compared:
            judged = (learner, level) in (("dt", "random"), ("dt", "medium-expert"))
            for index in range(judged_seeds if judged else seeds):
                yield Training(learner, environment, level, index)
