"""The manifest of a reproduction, reproduction.toml: what it tests, how it is run, what it means.

Criteria stand here before anything runs. Plain dataclasses, checked by hand, so that listing
reproductions imports nothing heavy.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kb import files, words
from kb.errors import KbError, NotFound, shown
from kb.margin import LEAST_UNITS
from kb.reproduce import layout
from kb.reproduce.digest import code_digest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ESTIMATORS = ("mean", "proportion", "difference", "ratio")
PROTOCOL_FIELDS = (
    "environment",
    "environment_version",
    "data",
    "data_version",
    "score_scale",
    "checkpoint",
    "return_to_go",
    "training_seeds",
    "episodes",
    "spread",
    "network",
)
"""What makes two numbers comparable."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_MODULE = re.compile(r"[A-Za-z_]\w*")
"""To look a module inside a package up, Python imports the package: programs would run in passing."""
LARGEST = 1e300
"""Whole numbers of TOML may be longer than what floats and JSON hold."""


@dataclass(frozen=True)
class Preset:
    """A tier of the reproduction: its parameters and what it costs."""

    parameters: Mapping[str, Any]
    seconds: float
    """Expected wall time on two cores."""
    disk_mb: float
    memory_mb: float


@dataclass(frozen=True)
class Metric:
    """How samples become an estimate with an interval."""

    name: str
    title: str
    estimator: str
    """mean of the samples over units; proportion (values out of weights); difference (paired by unit, the
    first of `samples` minus the second); ratio (of means, the first over the second)."""
    samples: tuple[str, ...]
    unit: str
    min_units: int
    """With fewer independent units every criterion on this metric is inconclusive."""
    secondary: bool = False


@dataclass(frozen=True)
class Criterion:
    """claim + metric + region + what it means for the claim if the metric's interval lies inside."""

    name: str
    claim: str
    metric: str
    meaning: str
    low: float | None
    high: float | None
    primary: bool
    analogue: bool
    wording: str
    presets: tuple[str, ...]
    requires: tuple[str, ...] = ()
    """Other criteria, such as a positive control, without which this one decides nothing."""

    def plain(self) -> dict[str, Any]:
        """As run records and the store keep it."""
        kept = ("name", "claim", "metric", "meaning", "low", "high", "primary", "analogue", "wording")
        plain = {**{name: getattr(self, name) for name in kept}, "presets": list(self.presets)}
        return {**plain, "requires": list(self.requires)} if self.requires else plain


@dataclass(frozen=True)
class Original:
    """The named artifact (a data set, a network) that the reproduction can run on where the user has it."""

    what: str
    option: str
    """data or weights: how the command line calls it."""
    protocol: Mapping[str, Any]
    """What differs in the protocol then."""
    departures: tuple[str, ...]
    """Those that remain."""


@dataclass(frozen=True)
class Manifest:
    """A reproduction as its folder describes it."""

    folder: Path
    entry: str
    """The module of the folder that is run."""
    name: str
    title: str
    version: str
    sources: tuple[str, ...]
    needs: tuple[str, ...]
    """Extras of kb that it needs installed."""
    modules: tuple[str, ...]
    """Modules that must be importable, looked for before the start."""
    pilot: str
    """Which pilot data the thresholds were chosen after."""
    departures: tuple[str, ...]
    original: Original | None
    """None: there is none, or it is what every run uses."""
    protocol: Mapping[str, Any]
    published: tuple[Mapping[str, Any], ...]
    presets: Mapping[str, Preset]
    metrics: tuple[Metric, ...]
    criteria: tuple[Criterion, ...]
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def module(self) -> str:
        """What `python -m` runs."""
        return f"reproductions.{self.folder.name}.{self.entry}"

    @property
    def runs(self) -> Path:
        """Where its recorded runs are."""
        return self.folder / "runs" if self.entry == layout.ENTRY else self.folder / "runs" / self.entry

    @property
    def code(self) -> str:
        """Digest of its code: of all modules of its folder, or, where several share one, of those that it uses."""
        return code_digest(self.folder, None if self.entry == layout.ENTRY else self.entry)

    @property
    def claims(self) -> tuple[str, ...]:
        """The claims that it judges."""
        return tuple(dict.fromkeys(criterion.claim for criterion in self.criteria))


def _or(bound: float | None, otherwise: float) -> float:
    return otherwise if bound is None else bound


def load(place: Path) -> Manifest:
    """Read and check a manifest.

    Args:
        place: its file, or a folder with one reproduction.

    Raises:
        KbError: naming the file and the key that is wrong.
    """
    path = place if place.name.endswith(layout.FILE) else place / layout.FILE
    try:
        raw = tomllib.loads(files.read_text(path))
    except FileNotFoundError:
        raise KbError(f"no {path.name} in {path.parent}") from None
    except (ValueError, RecursionError) as error:  # no TOML, a number of thousands of digits, lists in lists
        raise KbError(f"{path} cannot be read: {error}") from None
    return _Reader(path).manifest(raw)


def load_all(roots: tuple[Path, ...]) -> list[Manifest]:
    """Every reproduction under the roots, by name."""
    return [load(path) for _, path in sorted(layout.files(roots).items())]


def find(roots: tuple[Path, ...], name_or_claim: str) -> Manifest:
    """The reproduction of that name, or the one that judges that claim first.

    Raises:
        NotFound: with the names that come near.
    """
    known = layout.files(roots)
    if name_or_claim in known:
        return load(known[name_or_claim])
    judging = [manifest for manifest in load_all(roots) if name_or_claim in manifest.claims]
    if judging:
        first = [m for m in judging if any(c.primary and c.claim == name_or_claim for c in m.criteria)]
        return (first or judging)[0]
    import difflib

    raise NotFound("reproduction", name_or_claim, difflib.get_close_matches(name_or_claim, known, 3))


_KNOWN = {
    "": {
        "name", "title", "version", "sources", "needs", "modules", "pilot", "departures", "original", "protocol",
        "published", "presets", "metric", "criterion",
    },
    "original": {"what", "option", "protocol", "departures"},
    "preset": {"parameters", "seconds", "disk_mb", "memory_mb"},
    "metric": {"name", "title", "estimator", "samples", "unit", "min_units", "secondary"},
    "criterion": {
        "name", "claim", "metric", "meaning", "low", "high", "primary", "analogue", "wording", "presets", "requires",
    },
    "published": {"metric", "figure", "protocol", "note"},
}  # fmt: skip
"""Every key that a table of the manifest may have: a misspelt one is an error, never a default."""


class _Reader:
    """Checks plain TOML data key by key; every complaint names the file and the key."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def manifest(self, raw: dict[str, Any]) -> Manifest:
        self.known(raw, "", "")
        self.plain(raw, "")
        name = self.text(raw, "name")
        if not _NAME.fullmatch(name) or name != layout.name_of(self.path):
            self.complain("name", f"must be {layout.name_of(self.path)}, as folder and file are named")
        metrics = tuple(self.metric(m, f"metric {n}") for n, m in enumerate(self.tables(raw, "metric"), 1))
        presets = {key: self.preset(key, value) for key, value in self.table(raw, "presets").items()}
        if not {"smoke", "quick"} <= set(presets) or set(presets) - set(words.PRESETS):
            self.complain("presets", "must be smoke, quick and perhaps full")
        criteria = tuple(
            self.criterion(c, f"criterion {n}", metrics)
            for n, c in enumerate(self.tables(raw, "criterion"), 1)
        )
        for label, names in (
            ("metric", [m.name for m in metrics]),
            ("criterion", [c.name for c in criteria]),
        ):
            if len(set(names)) != len(names):
                self.complain(label, "names one thing twice")
        self.enough_units(criteria, metrics)
        self.one_primary_metric(criteria)
        self.meanings_apart(criteria)
        self.controls(criteria)
        for n, entry in enumerate(self.tables(raw, "published"), 1):
            self.known(entry, "published", f"published {n}")
        return Manifest(
            folder=self.path.parent,
            entry=layout.entry_of(self.path),
            name=name,
            title=self.text(raw, "title"),
            version=self.text(raw, "version"),
            sources=self.texts(raw, "sources"),
            needs=self.texts(raw, "needs"),
            modules=self.modules(raw),
            pilot=self.text(raw, "pilot"),
            departures=self.texts(raw, "departures"),
            original=self.original(self.table(raw, "original")) if "original" in raw else None,
            protocol=self.protocol(raw, ""),
            published=tuple(self.tables(raw, "published")),
            presets=presets,
            metrics=metrics,
            criteria=criteria,
            raw=raw,
        )

    def modules(self, raw: Mapping[str, Any]) -> tuple[str, ...]:
        """Names of modules of the top level, such as torch."""
        names = self.texts(raw, "modules")
        for name in names:
            if not _MODULE.fullmatch(name):
                self.complain("modules", f"holds {shown(name)}: only modules without a dot, such as torch")
        return names

    def enough_units(self, criteria: tuple[Criterion, ...], metrics: tuple[Metric, ...]) -> None:
        """A metric that is judged has the units that any verdict needs."""
        least = {metric.name: metric.min_units for metric in metrics}
        for criterion in criteria:
            if least[criterion.metric] < LEAST_UNITS:
                told = f"is judged, so its min_units must be {LEAST_UNITS} at least"
                self.complain(f"metric {criterion.metric}", told)

    def one_primary_metric(self, criteria: tuple[Criterion, ...]) -> None:
        """One primary criterion per claim: its meanings may differ, its metric may not."""
        first: dict[str, str] = {}
        for criterion in criteria:
            if criterion.primary and first.setdefault(criterion.claim, criterion.metric) != criterion.metric:
                self.complain(criterion.name, f"{criterion.claim} already has another primary metric")

    def meanings_apart(self, criteria: tuple[Criterion, ...]) -> None:
        """An interval must not lie in a region that supports and in one that refutes."""
        for one in criteria:
            for other in criteria:
                if (one.claim, one.metric) == (other.claim, other.metric) and one.meaning < other.meaning:
                    low = max(_or(one.low, -math.inf), _or(other.low, -math.inf))
                    high = min(_or(one.high, math.inf), _or(other.high, math.inf))
                    if low <= high:
                        self.complain(one.name, f"has a region that overlaps that of {other.name}")

    def controls(self, criteria: tuple[Criterion, ...]) -> None:
        """A control is another criterion of this manifest and rests on no control itself."""
        by_name = {criterion.name: criterion for criterion in criteria}
        for criterion in criteria:
            for name in criterion.requires:
                if name not in by_name or name == criterion.name:
                    self.complain(criterion.name, f"requires {name}, which is no other criterion")
                if by_name[name].requires:
                    self.complain(criterion.name, f"requires {name}, which requires something itself")

    def original(self, raw: dict[str, Any]) -> Original:
        self.known(raw, "original", "original")
        option = self.text(raw, "option", "original")
        if option not in ("data", "weights"):
            self.complain("original.option", "must be data or weights")
        return Original(
            what=self.text(raw, "what", "original"),
            option=option,
            protocol=self.protocol(raw, "original"),
            departures=self.texts(raw, "departures", "original"),
        )

    def protocol(self, raw: Mapping[str, Any], where: str) -> dict[str, Any]:
        protocol = self.table(raw, "protocol", where)
        if set(protocol) - set(PROTOCOL_FIELDS):
            self.complain(f"{where}.protocol".lstrip("."), f"knows only {', '.join(PROTOCOL_FIELDS)}")
        return protocol

    def known(self, raw: Mapping[str, Any], table: str, where: str) -> None:
        strange = sorted(set(raw) - _KNOWN[table])
        if strange:
            self.complain(
                f"{where}.{strange[0]}".lstrip("."),
                f"is unknown; known are {', '.join(sorted(_KNOWN[table]))}",
            )

    def plain(self, value: Any, where: str) -> None:
        """Only what JSON has: a date or an infinity would be lost on the way into a record."""
        if isinstance(value, dict):
            for key, inner in value.items():
                self.plain(inner, f"{where}.{key}".lstrip("."))
        elif isinstance(value, list):
            for inner in value:
                self.plain(inner, where)
        elif not isinstance(value, str) and not (isinstance(value, int | float) and abs(value) < LARGEST):
            self.complain(where, f"must be text, a number below {LARGEST:g}, true or false")

    def flag(self, raw: Mapping[str, Any], key: str, where: str) -> bool:
        value = raw.get(key, False)
        if not isinstance(value, bool):
            self.complain(f"{where}.{key}", "must be true or false")
        return bool(value)

    def preset(self, key: str, value: Any) -> Preset:
        where = f"presets.{key}"
        if not isinstance(value, dict):
            self.complain(where, "must be a table")
        self.known(value, "preset", where)
        for name in ("seconds", "disk_mb", "memory_mb"):
            if self.number(value, name, where) < 0:
                self.complain(f"{where}.{name}", "must not be negative")
        return Preset(
            parameters=self.table(value, "parameters", where),
            seconds=self.number(value, "seconds", where),
            disk_mb=self.number(value, "disk_mb", where),
            memory_mb=self.number(value, "memory_mb", where),
        )

    def metric(self, raw: dict[str, Any], where: str) -> Metric:
        self.known(raw, "metric", where)
        estimator = self.text(raw, "estimator", where)
        least = self.number(raw, "min_units", where)
        if least < 2 or not least.is_integer():
            self.complain(f"{where}.min_units", "must be a whole number, 2 at least")
        samples = self.texts(raw, "samples", where) or (self.text(raw, "name", where),)
        if estimator not in ESTIMATORS:
            self.complain(f"{where}.estimator", f"must be one of {', '.join(ESTIMATORS)}")
        if len(samples) != (2 if estimator in ("difference", "ratio") else 1):
            self.complain(f"{where}.samples", f"do not fit a {estimator}")
        return Metric(
            name=self.text(raw, "name", where),
            title=self.text(raw, "title", where),
            estimator=estimator,
            samples=samples,
            unit=self.text(raw, "unit", where),
            min_units=int(least),
            secondary=self.flag(raw, "secondary", where),
        )

    def criterion(self, raw: dict[str, Any], where: str, metrics: tuple[Metric, ...]) -> Criterion:
        self.known(raw, "criterion", where)
        meaning = self.text(raw, "meaning", where)
        metric = self.text(raw, "metric", where)
        if meaning not in words.MEANINGS:
            self.complain(f"{where}.meaning", "must be supports or refutes")
        if metric not in {m.name for m in metrics}:
            self.complain(f"{where}.metric", f"names no metric: {metric}")
        low, high = (self.number(raw, key, where) if key in raw else None for key in ("low", "high"))
        if low is None and high is None:
            self.complain(where, "needs a region: low, high or both")
        if low is not None and high is not None and low > high:
            self.complain(where, f"has an empty region: {low:g} to {high:g}")
        presets = self.texts(raw, "presets", where) or ("quick", "full")
        if set(presets) - {"quick", "full"}:
            self.complain(f"{where}.presets", "may be quick and full; a smoke run never gives a verdict")
        return Criterion(
            name=self.text(raw, "name", where),
            claim=self.text(raw, "claim", where),
            metric=metric,
            meaning=meaning,
            low=low,
            high=high,
            primary=self.flag(raw, "primary", where),
            analogue=self.flag(raw, "analogue", where),
            wording=self.text(raw, "wording", where),
            presets=presets,
            requires=self.texts(raw, "requires", where),
        )

    def complain(self, key: str, what: str) -> None:
        raise KbError(f"{self.path}: {key} {what}")

    def text(self, raw: Mapping[str, Any], key: str, where: str = "") -> str:
        value = raw.get(key)
        if not isinstance(value, str) or not value.strip():
            self.complain(f"{where}.{key}".lstrip("."), "must be a text")
        return str(value).strip()

    def texts(self, raw: Mapping[str, Any], key: str, where: str = "") -> tuple[str, ...]:
        value = raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.complain(f"{where}.{key}".lstrip("."), "must be a list of texts")
        return tuple(value)

    def number(self, raw: Mapping[str, Any], key: str, where: str = "") -> float:
        value = raw.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.complain(f"{where}.{key}".lstrip("."), "must be a number")
        return float(value)  # type: ignore[arg-type]

    def table(self, raw: Mapping[str, Any], key: str, where: str = "") -> dict[str, Any]:
        value = raw.get(key, {})
        if not isinstance(value, dict):
            self.complain(f"{where}.{key}".lstrip("."), "must be a table")
        return dict(value)

    def tables(self, raw: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        value = raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.complain(key, "must be tables: [[" + key + "]]")
        return list(value)
