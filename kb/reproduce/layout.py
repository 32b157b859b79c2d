"""How reproductions lie in their folders.

A folder with one reproduction has reproduction.toml and experiment.py, and is named as the reproduction is. Where
several share their parts, each has a <part>.reproduction.toml, is run by <part>.py and is called <folder>-<part>.
"""

from __future__ import annotations

from pathlib import Path

FILE = "reproduction.toml"
ENTRY = "experiment"


def entry_of(path: Path) -> str:
    """The module that the reproduction of a manifest's file is run by."""
    return ENTRY if path.name == FILE else path.name.removesuffix(f".{FILE}")


def name_of(path: Path) -> str:
    """What the reproduction of a manifest's file is called."""
    name = path.parent.name if path.name == FILE else f"{path.parent.name}-{entry_of(path)}"
    return name.replace("_", "-")


def files(roots: tuple[Path, ...]) -> dict[str, Path]:
    """The manifests under the roots by the names of their reproductions; the first root wins."""
    found: dict[str, Path] = {}
    for root in roots:
        for path in sorted([*root.glob(f"*/{FILE}"), *root.glob(f"*/*.{FILE}")]):
            found.setdefault(name_of(path), path)
    return found
