"""From a manifest to a run record: checks before the start, the process, metrics, verdicts, the store.

kb imports no experiment: a crash there is a result of the run, never one of kb.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kb import files
from kb.errors import KbError, NotFound, shown
from kb.reproduce import digest, isolation, process, recorded
from kb.reproduce.judging import judgements_of, metrics_of
from kb.reproduce.manifest import Manifest, Preset
from kb.reproduce.report import CONFIG
from kb.store.places import Places, data_folder


class RunFailed(KbError):
    """The experiment crashed or was interrupted; the run is kept and marked so."""

    def __init__(self, run: Mapping[str, Any], folder: Path) -> None:
        how = "was interrupted" if run["state"] == "interrupted" else f"failed: {run['error']}"
        super().__init__(
            f"{run['reproduction']} {how}",
            f"log: {folder / process.LOG}; kb reproduce {run['reproduction']} --resume {run['id']} goes on",
            code=130 if run["state"] == "interrupted" else 1,
        )
        self.run = run


def check_ready(manifest: Manifest, preset: str, folder: Path) -> Preset:
    """Make sure that a run can start: the preset exists, the extras are there, there is room for it.

    The room must be where the run's files go, and where the data sets go that runs share.

    Raises:
        KbError: naming the extra to install, or the room that is missing.
    """
    chosen = preset_of(manifest, preset)
    missing = [name for name in manifest.modules if importlib.util.find_spec(name) is None]
    if missing:
        extras = ",".join(manifest.needs) or "all"
        raise KbError(
            f"{manifest.name} needs {', '.join(missing)}, not installed here",
            f"pip install 'interp-kb[{extras}]'",
        )
    for place, other in ((folder, "--out"), (cache_folder(), "KB_CACHE")):  # they may be on two disks
        free = shutil.disk_usage(_existing(place)).free / 1e6
        if free < chosen.disk_mb:
            raise KbError(
                f"{manifest.name} needs {chosen.disk_mb:.0f} MB in {place}, {free:.0f} MB are free",
                f"name another folder with {other}",
            )
    return chosen


def preset_of(manifest: Manifest, preset: str) -> Preset:
    """The tier of that name.

    Raises:
        KbError: naming those that there are.
    """
    if preset not in manifest.presets:
        raise KbError(
            f"{manifest.name} has no preset {shown(preset)}", f"it has {', '.join(manifest.presets)}"
        )
    return manifest.presets[preset]


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def execute(
    manifest: Manifest,
    preset: str,
    places: Places,
    *,
    seed: int = 0,
    out: Path | None = None,
    resume: str | None = None,
    original: str | None = None,
    on_event: Callable[[dict[str, Any]], None] = lambda event: None,
) -> dict[str, Any]:
    """Run a reproduction to its end and keep the record in its folder and in the store.

    Args:
        original: where the named artifact is (a path, or the word that has it downloaded) instead of our own
            stand-in; what the word means is the experiment's matter.

    Returns: the run record (`kb.reproduce.recorded`), with its `folder`.

    Raises:
        RunFailed: when the experiment crashed or was interrupted; the record is kept.
        KbError: when it cannot start.
    """
    base = out or places.runs
    code = manifest.code
    if resume is not None:
        folder, config = begun(resume, base, places.runs)
        if config["reproduction"] != manifest.name:
            raise KbError(f"{resume} is a run of {config['reproduction']}, not of {manifest.name}")
        if _state_of(folder) == "finished":
            return _finished(manifest, resume, folder, places)
        _must_be_the_same_code(manifest, resume, config, code)
    else:
        chosen = check_ready(manifest, preset, base)
        if original is not None and manifest.original is None:
            raise KbError(f"{manifest.name} has no original to run on", "leave --data and --weights out")
        extras: dict[str, Any] = {} if original is None else {"original": original}
        extras["published"] = _published(manifest, places)
        folder, config = _prepared(manifest, preset, chosen, base, seed, code, extras)
    run = _fresh_record(manifest, config)
    with process.locked(folder) as lock:
        before = _cost(folder)
        _keep(manifest, run, folder, places)
        started = time.monotonic()
        try:
            path = isolation.module_path(manifest.folder, folder)
            ended = process.run(manifest.module, folder, [path], lock, on_event)
        except OSError as error:
            raise KbError(f"{manifest.name} could not be started: {error}") from None
        run["seconds"] = round(before["seconds"] + time.monotonic() - started, 2)
        run["cpu_seconds"] = round(before["cpu_seconds"] + ended.cpu_seconds, 2)
        run["peak_memory_mb"] = round(max(before["peak_memory_mb"], ended.peak_memory_mb), 1)
        try:
            _conclude(manifest, run, folder, ended)
        except Exception as error:  # whatever an experiment reported, its run ends marked, never half-written
            run.update(state="failed", error=f"its report cannot be read: {type(error).__name__}: {error}")
            run.update(metrics={}, judgements=[], artifacts=[], samples=[], notes=[])
        run = _clean(run)
        _keep(manifest, run, folder, places)
    if run["state"] != "finished":
        raise RunFailed(run, folder)
    return {**run, "folder": str(folder)}


def _cost(folder: Path) -> dict[str, float]:
    """What earlier parts of a resumed run have cost."""
    try:
        earlier = recorded.read(folder)
    except KbError:
        earlier = {}
    return {name: earlier.get(name) or 0.0 for name in ("seconds", "cpu_seconds", "peak_memory_mb")}


def _clean(value: Any) -> Any:
    """The record with text that no file or store could hold made harmless."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_clean(key): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value


def _prepared(
    manifest: Manifest,
    preset: str,
    chosen: Preset,
    base: Path,
    seed: int,
    code: str,
    extras: Mapping[str, Any],
) -> tuple[Path, dict[str, Any]]:
    started = datetime.now(timezone.utc)
    stamp = started.strftime("%Y%m%d-%H%M%S")
    name = f"{manifest.name}-{preset}-{stamp}"
    folder = base / name
    count = 1
    while True:
        try:
            folder.mkdir(parents=True)
            break
        except FileExistsError:
            count += 1
            folder = base / f"{name}-{count}"
        except OSError as error:
            raise KbError(
                f"cannot make {folder}: {error.strerror}", "name another folder with --out"
            ) from None
    config = {
        "id": folder.name,
        "reproduction": manifest.name,
        "version": manifest.version,
        "preset": preset,
        "seed": seed,
        "started": started.isoformat(timespec="seconds"),
        "code_digest": code,
        "parameters": dict(chosen.parameters),
        "cache": str(cache_folder()),
        **extras,
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=1), "utf-8")
    return folder, config


def _published(manifest: Manifest, places: Places) -> list[dict[str, Any]]:
    """The published figures that the manifest names, as the library has them."""
    from kb.reproduce.compare import figures_of
    from kb.store import connect

    if not manifest.published:
        return []
    with contextlib.closing(connect.for_reading(places)) as connection:
        return figures_of(connection, manifest.published)


def cache_folder() -> Path:
    """Where data sets are kept that runs share: KB_CACHE, XDG_CACHE_HOME/kb, or beside the user's data."""
    if os.environ.get("KB_CACHE"):
        return Path(os.environ["KB_CACHE"]).absolute()
    named = os.environ.get("XDG_CACHE_HOME")
    return Path(named) / "kb" if named and Path(named).is_absolute() else data_folder() / "cache"


def _finished(manifest: Manifest, resume: str, folder: Path, places: Places) -> dict[str, Any]:
    """A run whose record is whole: kb may have died before the store had it, then it gets it now.

    Raises:
        KbError: when the store has it.
    """
    from kb.store import connect, queries

    with contextlib.closing(connect.for_reading(places)) as connection:
        stored = {run["id"]: run["state"] for run in queries.list_runs(connection)}
    if stored.get(resume) == "finished":
        raise KbError(f"{resume} is finished already", f"kb run show {resume} shows it", code=1)
    run = recorded.read(folder)
    with process.locked(folder):
        _keep(manifest, run, folder, places)
    return {**run, "folder": str(folder)}


def _must_be_the_same_code(manifest: Manifest, resume: str, config: Mapping[str, Any], code: str) -> None:
    if config["code_digest"] != code or config["version"] != manifest.version:
        raise KbError(
            f"the code of {manifest.name} has changed since {resume} began",
            "start a new run; mixing two versions would be no result of either",
        )


def begun(resume: str, *bases: Path) -> tuple[Path, dict[str, Any]]:
    """The folder and configuration of a run that was begun under one of `bases`.

    Raises:
        NotFound: when there is none of that name.
        KbError: when its configuration is broken, or its folder holds a link.
    """
    if Path(resume).name != resume or resume == "..":
        raise KbError(f"{resume!r} is no run's name", "kb run list shows the runs")
    folder = next((base / resume for base in bases if (base / resume / CONFIG).is_file()), None)
    if folder is None:
        known = [path.parent.name for base in bases for path in base.glob(f"*/{CONFIG}")]
        raise NotFound("run", resume, difflib.get_close_matches(resume, known, 3))
    isolation.must_be_plain(folder)
    try:
        config = json.loads(files.read_text(folder / CONFIG))
        texts = ("id", "reproduction", "version", "preset", "started", "code_digest")
        wanted = {name: config[name] for name in (*texts, "seed", "parameters")}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise KbError(f"{folder / CONFIG} is broken", "start a new run") from None
    whole = all(isinstance(wanted[name], str) for name in texts)
    if not (whole and wanted["id"] == resume and isinstance(wanted["parameters"], dict)):
        raise KbError(f"{folder / CONFIG} is broken", "start a new run")
    return folder, {**config, **wanted}


def _state_of(folder: Path) -> str:
    """The state that a run's record tells; a run that died before it had one is as good as interrupted."""
    try:
        return str(recorded.read(folder)["state"])
    except KbError:
        return "interrupted"


def _fresh_record(manifest: Manifest, config: Mapping[str, Any]) -> dict[str, Any]:
    original = manifest.original if "original" in config else None
    parameters = {**config["parameters"], "original": original.what} if original else config["parameters"]
    return {
        **{name: config[name] for name in ("id", "reproduction", "version", "preset", "seed", "started")},
        "state": "running",
        "code_digest": config["code_digest"],
        "data_digest": "",
        "config": parameters,
        "protocol": {**manifest.protocol, **(original.protocol if original else {})},
        "criteria": [criterion.plain() for criterion in manifest.criteria],
        "departures": list((original or manifest).departures),
        "environment": _environment(manifest),
        "metrics": {},
        "judgements": [],
        "artifacts": [],
        "notes": [],
        "samples": [],
    }


def _environment(manifest: Manifest) -> dict[str, Any]:
    """What it ran on, without the machine's name or anybody's."""
    packages = {}
    for module in ("interp-kb", *manifest.modules):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            packages[module] = importlib.metadata.version(module)
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "packages": packages,
    }


def _conclude(manifest: Manifest, run: dict[str, Any], folder: Path, ended: process.Ended) -> None:
    events = process.all_events(folder)
    whole = ended.code == 0 and bool(events) and events[-1]["event"] == "done"
    run["notes"] = [str(e.get("text", ""))[:500] for e in events if e["event"] == "note"][:100]
    run["data_digest"] = next((str(e.get("digest")) for e in reversed(events) if e["event"] == "data"), "")
    if not whole:
        run["state"] = "interrupted" if ended.interrupted else "failed"
        run["error"] = None if ended.interrupted else _last_words(folder, ended)
        return
    try:
        broken = process.broken_lines(folder)
        if broken:
            raise KbError(f"{broken} lines of its events cannot be read: samples may be lost")
        known = {name for metric in manifest.metrics for name in metric.samples}
        run["samples"] = [_sample(event, known) for event in events if event["event"] == "sample"]
        if not run["samples"]:
            raise KbError("it reported no samples")
        run["artifacts"] = [_artifact(e, folder) for e in events if e["event"] == "artifact"]
        run["metrics"] = metrics_of(manifest, run["samples"])
    except KbError as error:
        run["state"], run["error"] = "failed", str(error)
        return
    run["judgements"] = judgements_of(
        manifest, run["metrics"], run["preset"], on_original="original" in run["config"]
    )
    run["state"] = "finished"


def _sample(event: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    """A sample that is one: anything less fails the run, since a verdict must not rest on what is left."""
    value, weight = event.get("value"), event.get("weight")
    names = event.get("metric"), event.get("unit")
    good = (
        all(isinstance(n, str) and n for n in names)
        and _finite(value)
        and (weight is None or _finite(weight))
    )
    if not good:
        raise KbError(f"it reported a sample that is none: {json.dumps(event)[:200]}")
    if names[0] not in known:
        raise KbError(f"it reported samples of {shown(str(names[0]))}, which no metric of the manifest uses")
    return {
        "metric": names[0],
        "unit": names[1],
        "value": float(value),  # type: ignore[arg-type]
        "weight": None if weight is None else float(weight),
    }


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _artifact(event: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A file of the run; one that lies elsewhere is refused, wherever its name pretends to be."""
    given = str(event.get("path", ""))
    path = folder / given
    if (
        not given
        or "\0" in given
        or path.is_symlink()
        or not path.resolve().is_relative_to(folder.resolve())
        or not path.is_file()
    ):
        raise KbError(f"the artifact {given[:100]!r} is not a file of the run folder")
    return {
        "path": path.resolve().relative_to(folder.resolve()).as_posix(),
        "title": str(event.get("title", ""))[:200],
        "sha256": digest.file_digest(path),
        "bytes": path.stat().st_size,
    }


def _last_words(folder: Path, ended: process.Ended) -> str:
    lines = (folder / process.LOG).read_text("utf-8", errors="replace").strip().splitlines()
    if ended.code < 0:
        return f"killed by signal {-ended.code}"
    last = lines[-1].strip()[:300] if lines else "it wrote nothing"
    return f"exit code {ended.code}: {last}" if ended.code else f"it ended without a result: {last}"


def _keep(manifest: Manifest, run: dict[str, Any], folder: Path, places: Places) -> None:
    """Into the run's folder first, then, in one transaction, into the store."""
    from kb.reproduce.register import register
    from kb.reproduce.verdicts import refresh
    from kb.store import connect
    from kb.store.runs import save_run

    record = {name: value for name, value in run.items() if name != "notes"}
    try:
        recorded.write(folder, run)
    except OSError as error:
        raise KbError(
            f"the record of {run['id']} could not be written into {folder}: {error.strerror or error}",
            f"make room; kb reproduce {run['reproduction']} --resume {run['id']} goes on",
            code=1,
        ) from None
    record.pop("folder", None)
    with connect.for_writing(places) as session:
        register(session, manifest)
        save_run(session, record, folder=str(folder))
        if run["state"] == "finished":
            refresh(session, [judgement["claim"] for judgement in run["judgements"]])
