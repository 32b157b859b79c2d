"""When has an experiment changed? Digests over what it does, not over white space or comments."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kb.errors import KbError


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
            digest.update(ast.dump(_without_docstrings(tree)).encode())
    return digest.hexdigest()


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError) as error:
        raise KbError(f"{path} is no Python: {error}") from None


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
    """Digest of every file of an experiment's folder: what somebody trusted when they let it run."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(file_digest(path).encode())
    return digest.hexdigest()
