"""When has an experiment changed? Digests over what it does, not over white space or comments."""

from __future__ import annotations

import ast
import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kb import files
from kb.errors import KbError
from kb.reproduce import isolation


def code_digest(folder: Path, entry: str | None = None) -> str:
    """Digest of an experiment's modules, over syntax trees without docstrings and positions.

    Args:
        folder: of the experiment.
        entry: the module that is run, where several experiments share the folder: then only the modules that it
            imports, directly or through others, count. None: all of them.

    Raises:
        KbError: when a module is no Python.
    """
    paths = [p for p in folder.rglob("*.py") if "runs" not in p.relative_to(folder).parts]
    trees = {path.relative_to(folder).as_posix(): _tree(path) for path in sorted(paths)}
    used = trees.keys() if entry is None else _used(folder.name, f"{entry}.py", trees)
    digest = hashlib.sha256()
    for name, tree in trees.items():
        if name in used:
            digest.update(name.encode())
            try:
                digest.update(ast.dump(_without_docstrings(tree)).encode("utf-8", "surrogatepass"))
            except RecursionError:
                raise KbError(f"{folder / name} is nested too deep") from None
    return digest.hexdigest()


def _tree(path: Path) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice on somebody's code is not ours to give
            return ast.parse(files.read_bytes(path), filename=str(path))
    except FileNotFoundError:
        raise KbError(f"{path} is a link that leads nowhere") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise KbError(f"{path} is no Python: {error or type(error).__name__}") from None


def _used(folder: str, entry: str, trees: Mapping[str, ast.Module]) -> set[str]:
    """The modules of the folder that `entry` needs: what it imports, wherever the import stands."""
    prefix = f"reproductions.{folder}"
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name in found or name not in trees:
            continue
        found.add(name)
        for node in ast.walk(trees[name]):
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            parts = (m.removeprefix(f"{prefix}.") for m in modules if m.startswith(f"{prefix}."))
            waiting += [f"{part.replace('.', '/')}.py" for part in parts]
    return found


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str())), *rest]:
                    node.body = rest or [ast.Pass()]
    return tree


def configuration_digest(parameters: Any) -> str:
    """Digest of a preset's parameters."""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def trust_digest(folder: Path) -> str:
    """Digest of every file of an experiment's folder: what somebody trusted when they let it run.

    Raises:
        KbError: when a symbolic link lies in it.
    """
    folder = folder.resolve()
    digest = hashlib.sha256()
    for path in isolation.files_of(folder):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(file_digest(path).encode())
    return digest.hexdigest()
