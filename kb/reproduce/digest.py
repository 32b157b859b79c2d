"""When has an experiment changed? Digests over what it does, not over white space or comments."""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path
from typing import Any

from kb.errors import KbError


def code_digest(folder: Path) -> str:
    """Digest of every module of an experiment, over syntax trees without docstrings and positions.

    Raises:
        KbError: when a module is no Python.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        if "runs" in path.relative_to(folder).parts:
            continue
        try:
            tree = ast.parse(path.read_bytes(), filename=str(path))
        except (SyntaxError, ValueError) as error:
            raise KbError(f"{path} is no Python: {error}") from None
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(ast.dump(_without_docstrings(tree)).encode())
    return digest.hexdigest()


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
