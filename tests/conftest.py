"""A small store to work on, for every test that wants one."""

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from kb.store import connect, edit
from tests.making import claim, source

# How long an example takes says something of the machine and its load, not of kb.
settings.register_profile("kb", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kb")

# A shell ignores Ctrl-C in what it starts in the background, and so would every process that a test starts and stops.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store that holds one source and one claim."""
    store = tmp_path / "store.db"
    connect.create(store)
    with connect.writing_to(store) as session:
        edit.put(session, source())
        edit.put(session, claim())
    return store
