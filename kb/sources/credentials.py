"""The one secret that kb takes: a token of Crossref's Plus service, which some libraries pay for.

It comes from the environment or from a file that nobody else can read, goes to api.crossref.org by https alone, and
is in no message, record or log: nothing that kb writes is made from it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

from kb import files
from kb.errors import KbError

TOKEN = "KB_CROSSREF_TOKEN"
FILE = "KB_CROSSREF_TOKEN_FILE"
_HOST = "api.crossref.org"


def headers_for(address: str) -> dict[str, str]:
    """The headers that an address gets because of who asks; none for any but Crossref's own.

    Raises:
        KbError: when the token cannot be one, or its file can be read by others.
    """
    parts = urlsplit(address)
    if (parts.scheme, parts.netloc) != ("https", _HOST):
        return {}
    token = _token()
    return {"Crossref-Plus-API-Token": f"Bearer {token}"} if token else {}


def without(environment: dict[str, str]) -> dict[str, str]:
    """An environment without what is secret: for programs of others, whose logs are kept."""
    return {name: value for name, value in environment.items() if name not in (TOKEN, FILE)}


def _token() -> str:
    token, where = os.environ.get(TOKEN, "").strip(), TOKEN
    if not token and os.environ.get(FILE):
        where = os.environ[FILE]
        token = _in_file(Path(where)).strip()
    if token and not (token.isascii() and token.isprintable() and " " not in token and len(token) < 4_096):
        raise KbError(f"{where} holds no token", "a token is one word")
    return token


def _in_file(path: Path) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KbError(f"{path} can be read by others (mode {mode:o}): not used", f"chmod 600 {path}")
        return files.read_text(path, 10_000)
    except OSError as error:
        raise KbError(f"{path} cannot be read: {error.strerror or 'no such file'}", f"see {FILE}") from None
