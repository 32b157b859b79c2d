"""The cache of look-ups: what was answered once stays until there is another answer."""

from __future__ import annotations

from pathlib import Path

from kb.sources.answer import Answer
from kb.sources.rendering import Extracted
from kb.store import connect, fetched, renderings

URL = "https://api.example/a"
FOUND = Answer(URL, 200, "application/json", b"{}", "2026-10-01T00:00:00+00:00")
GONE = Answer(URL, 404, "", b"", "2026-10-02T00:00:00+00:00")
IN_VAIN = Answer(URL, 0, "", b"cannot be reached", "2026-10-03T00:00:00+00:00")
IN_VAIN_AGAIN = Answer(URL, 0, "", b"answers too slowly", "2026-10-04T00:00:00+00:00")


def put(path: Path, *answers: Answer) -> Answer | None:
    with connect.writing_to(path) as session:
        for answer in answers:
            fetched.put(connect.raw(session), answer)
    connection = connect.open_to_read(path)
    try:
        return fetched.get(connection, URL)
    finally:
        connection.close()


def test_an_attempt_in_vain_never_replaces_an_answer_and_an_answer_replaces_both(path: Path) -> None:
    assert put(path) is None
    assert put(path, IN_VAIN) == IN_VAIN
    assert put(path, IN_VAIN_AGAIN) == IN_VAIN_AGAIN
    assert put(path, FOUND) == FOUND
    assert put(path, IN_VAIN) == FOUND
    assert put(path, GONE) == GONE
    assert put(path, IN_VAIN) == GONE


def test_a_new_text_of_a_source_takes_the_place_of_the_last_one(path: Path) -> None:
    with connect.writing_to(path) as session:
        connection = connect.raw(session)
        for number in range(2):
            found = Extracted(f"text {number}", "text", str(number) * 64, "none")
            renderings.put(connection, "paper2020", found, "a.txt", "2026-11-24T00:00:00+00:00")
        assert renderings.keys(connection) == {"paper2020"}
        assert [row[0] for row in connection.execute("SELECT text FROM rendering")] == ["text 1"]
