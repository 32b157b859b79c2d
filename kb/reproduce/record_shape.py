"""Is it a run record? Its fields, checked one by one: a workspace's recorded runs may be anybody's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from kb import words

_Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    """Text that a store and a file can hold: no NUL, no half of a surrogate pair."""
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _or_none(check: _Check) -> _Check:
    return lambda value: value is None or check(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _list_of(check: _Check) -> _Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _plain(value: Any) -> bool:
    """What JSON has, with no number that it lacks and no text that a store cannot hold."""
    if isinstance(value, dict):
        return all(_text(key) and _plain(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(_plain, value))
    return value is None or _flag(value) or _text(value) or _number(value)


def _table(value: Any) -> bool:
    return isinstance(value, dict) and _plain(value)


def _environment(value: Any) -> bool:
    return _table(value) and isinstance(value.get("packages", {}), dict)


def inside(path: Any) -> bool:
    """Whether `path` names a file below the folder that it is taken from."""
    if not _text(path) or not path or "\\" in path:
        return False
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts and parts != PurePosixPath()


_RECORD: dict[str, _Check] = {
    **dict.fromkeys(("id", "reproduction", "version", "started", "code_digest", "data_digest"), _text),
    "preset": words.PRESETS.__contains__,
    "state": words.RUN_STATES.__contains__,
    "seed": _whole,
    **dict.fromkeys(("seconds", "cpu_seconds", "peak_memory_mb"), _or_none(_number)),
    "error": _or_none(_text),
    **dict.fromkeys(("config", "protocol"), _table),
    "environment": _environment,
    "criteria": _list_of(_table),
    **dict.fromkeys(("departures", "notes"), _list_of(_text)),
}
_METRIC: dict[str, _Check] = {
    "value": _or_none(_number),
    "low": _or_none(_number),
    "high": _or_none(_number),
    "n": _whole,
    "unit": _text,
    "method": _text,
}
_JUDGEMENT: dict[str, _Check] = {
    **dict.fromkeys(("criterion", "claim", "because"), _text),
    "verdict": words.VERDICTS.__contains__,
    **dict.fromkeys(("primary", "analogue", "post_hoc"), _flag),
}
_ARTIFACT: dict[str, _Check] = {"path": inside, "title": _text, "sha256": _text, "bytes": _whole}


def wrong_in(run: Mapping[str, Any]) -> str:
    """What is wrong with a record, in a few words; '' where nothing is."""
    wrong = _first(run, _RECORD, "", whole=False)
    metrics = run["metrics"]
    if not isinstance(metrics, dict) or not all(map(_text, metrics)):
        return wrong or "metrics is not what it must be"
    for name, metric in metrics.items():
        wrong = wrong or _first(metric, _METRIC, f"metrics.{name}", also={"title": _text})
    for key, checks in (("judgements", _JUDGEMENT), ("artifacts", _ARTIFACT)):
        found = run.get(key, [])
        if not isinstance(found, list):
            return wrong or f"{key} is not what it must be"
        for number, one in enumerate(found, 1):
            wrong = wrong or _first(one, checks, f"{key}.{number}", whole=key == "artifacts")
    return wrong


def _first(
    given: Any,
    checks: Mapping[str, _Check],
    where: str,
    *,
    whole: bool = True,
    also: Mapping[str, _Check] = {},
) -> str:
    """The first field that is not what it must be; `whole`: every field must be there."""
    if not isinstance(given, dict):
        return f"{where} is not what it must be"
    for key, check in {**checks, **also}.items():
        absent = key not in given
        if (absent and whole and key not in also) or not (absent or _holds(check, given[key])):
            return f"{where}.{key} is not what it must be".lstrip(".")
    strange = [key for key in given if whole and key not in checks and key not in also]
    return f"{where}.{strange[0][:40]} is unknown".lstrip(".") if strange else ""


def _holds(check: _Check, value: Any) -> bool:
    try:
        return check(value)
    except (TypeError, RecursionError):
        return False
