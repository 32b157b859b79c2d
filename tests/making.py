"""Small records to work on."""

from pathlib import Path
from typing import Any

from kb import records


def claim(id_: str = "a-claim", **more: Any) -> records.Claim:
    """A valid claim with what the test cares about."""
    data = {
        "id": id_,
        "kind": "empirical",
        "statement": f"Statement of {id_}.",
        "asserted_by": "Somebody",
        "status": "open",
        "citations": [{"source": "paper2020", "stance": "asserts", "locator": "p. 1"}],
        **more,
    }
    return records.Claim.model_validate(data)


def source(key: str = "paper2020", **fields: str) -> records.Source:
    """A valid source."""
    given = {"title": "A Paper", "author": "Doe, Jane", "year": "2020", **fields}
    return records.Source(key=key, type="article", kind="paper", fields=given)


def spoil(store: Path) -> None:
    """Overwrite pages in the middle, as a bad disk does."""
    content = bytearray(store.read_bytes())
    content[4096 : 4096 * 20] = b"\xa5" * (4096 * 19)
    store.write_bytes(content)
