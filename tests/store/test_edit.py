"""Changes: what goes in comes out, what dangles is refused, what was done can be undone."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb import records
from kb.errors import KbError, NotFound
from kb.store import connect, edit, queries
from tests import strategies
from tests.making import claim, source


def _content(path: Path) -> dict[str, object]:
    with contextlib.closing(connect.open_to_read(path)) as connection:
        return {
            f"{kind} {name}": (home, position, plain)
            for kind in queries.KEYS
            for name, home, position, plain in queries.records(connection, kind)
        }


def test_a_new_claim_is_added_and_the_same_again_changes_nothing(path: Path) -> None:
    with connect.writing_to(path) as session:
        assert edit.put(session, claim("new")) == "added"
        assert edit.put(session, claim("new")) == "same"
        assert edit.put(session, claim("new", status="disputed")) == "changed"


def test_a_dangling_citation_names_claim_number_and_what_comes_near(path: Path) -> None:
    citations = [{"source": "paper2020", "stance": "asserts"}, {"source": "papr2020", "stance": "supports"}]
    with (
        pytest.raises(
            KbError, match=r"claim new: citation 2 names the source 'papr2020'.*did you mean paper2020"
        ),
        connect.writing_to(path) as session,
    ):
        edit.put(session, claim("new", citations=citations))


def test_a_dangling_relation_is_refused(path: Path) -> None:
    with (
        pytest.raises(KbError, match="relation 1 names the claim 'no-such'"),
        connect.writing_to(path) as session,
    ):
        edit.put(session, claim("new", relations=[{"type": "rebuts", "claim": "no-such"}]))


def test_an_error_leaves_nothing_of_the_transaction(path: Path) -> None:
    before = _content(path)
    with pytest.raises(RuntimeError), connect.writing_to(path) as session:
        edit.put(session, claim("new"))
        raise RuntimeError
    assert _content(path) == before


def test_a_bulk_load_checks_relations_at_its_end(path: Path) -> None:
    with (
        pytest.raises(KbError, match="a -> no-such"),
        connect.writing_to(path) as session,
        edit.bulk(session),
    ):
        edit.put(session, claim("a", relations=[{"type": "rebuts", "claim": "no-such"}]))


def test_in_bulk_claims_may_relate_to_later_ones(path: Path) -> None:
    with connect.writing_to(path) as session, edit.bulk(session):
        edit.put(session, claim("a", relations=[{"type": "rebuts", "claim": "b"}]))
        edit.put(session, claim("b"))
    assert "claim b" in _content(path)


def test_what_others_point_at_is_not_removed(path: Path) -> None:
    with (
        pytest.raises(KbError, match="source paper2020 is still used by claim a-claim"),
        connect.writing_to(path) as session,
    ):
        edit.remove(session, "source", "paper2020")


def test_removing_what_is_not_there_offers_the_nearest(path: Path) -> None:
    with pytest.raises(NotFound, match="did you mean a-claim"), connect.writing_to(path) as session:
        edit.remove(session, "claim", "a-clam")


def test_a_removed_claim_is_gone_from_everywhere(path: Path) -> None:
    with connect.writing_to(path) as session:
        edit.remove(session, "claim", "a-claim", why="a test")
    with contextlib.closing(connect.open_to_read(path)) as connection:
        for table in ("claim", "citation", "tag", "claim_text", "search"):
            assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] == 0
        assert queries.history(connection)[0]["why"] == "a test"


def test_a_rename_leaves_an_alias_and_references_follow(path: Path) -> None:
    with connect.writing_to(path) as session:
        edit.put(session, claim("other", relations=[{"type": "rebuts", "claim": "a-claim"}]))
        edit.rename(session, "claim", "a-claim", "better-name")
        edit.rename(session, "source", "paper2020", "doe2020")
    with contextlib.closing(connect.open_to_read(path)) as connection:
        assert queries.resolve(connection, "claim", "a-claim") == "better-name"
        shown = queries.show_claim(connection, "other")
        assert shown["relations"][0]["claim"] == "better-name"
        assert shown["citations"][0]["source"] == "doe2020"
        assert queries.record(connection, "source", "doe2020")["aliases"] == ["paper2020"]  # type: ignore[index]


def test_a_name_that_is_taken_is_refused(path: Path) -> None:
    with connect.writing_to(path) as session:
        edit.put(session, claim("other"))
    with pytest.raises(KbError, match="already a claim named other"), connect.writing_to(path) as session:
        edit.rename(session, "claim", "a-claim", "other")


def test_a_former_name_can_be_cited_and_becomes_the_present_one(path: Path) -> None:
    with connect.writing_to(path) as session:
        edit.rename(session, "source", "paper2020", "doe2020")
        edit.put(session, claim("new"))
    with contextlib.closing(connect.open_to_read(path)) as connection:
        assert queries.show_claim(connection, "new")["citations"][0]["source"] == "doe2020"


def test_a_former_name_is_not_given_to_a_new_claim(path: Path) -> None:
    with connect.writing_to(path) as session:
        edit.rename(session, "claim", "a-claim", "better-name")
    with (
        pytest.raises(KbError, match="former name of claim better-name"),
        connect.writing_to(path) as session,
    ):
        edit.put(session, claim("a-claim"))


def test_a_former_name_finds_one_record_and_is_the_name_of_no_other(path: Path) -> None:
    with connect.writing_to(path) as session:
        edit.put(session, claim("b", aliases=["old"]))
    for taken, told in (
        ("a-claim", "a-claim is a claim of its own; it cannot be a former name of c"),
        ("old", "old is a former name of claim b already; c cannot have it, too"),
    ):
        with pytest.raises(KbError, match=told), connect.writing_to(path) as session:
            edit.put(session, claim("c", aliases=[taken]))
        with pytest.raises(KbError, match=told), connect.writing_to(path) as session, edit.bulk(session):
            edit.put(session, claim("c", aliases=[taken]))
    with pytest.raises(KbError, match="a-claim is a claim of its own"), connect.writing_to(path) as session:
        edit.put(session, claim("b", aliases=["old", "a-claim"]))
    assert "claim c" not in _content(path)


def test_in_bulk_the_record_that_is_called_so_may_go_later(path: Path) -> None:
    with connect.writing_to(path) as session, edit.bulk(session):
        edit.put(session, claim("b", aliases=["a-claim"]))
        edit.remove(session, "claim", "a-claim")
    assert list(_content(path))[:1] == ["claim b"]


def test_a_record_keeps_its_former_names_when_it_is_changed_or_a_change_undone(path: Path) -> None:
    with connect.writing_to(path) as session:
        edit.rename(session, "claim", "a-claim", "better")
        edit.put(session, claim("better", aliases=["a-claim"], statement="Better."))
        edit.rename(session, "claim", "better", "best")
        for _ in range(3):
            edit.undo(session)
    assert "claim a-claim" in _content(path)


def test_undo_goes_back_step_by_step_and_history_keeps_all(path: Path) -> None:
    states = [_content(path)]
    steps = (
        lambda s: edit.put(s, claim("new")),
        lambda s: edit.put(s, claim("new", status="disputed", tags=["x"])),
        lambda s: edit.rename(s, "claim", "new", "newer"),
        lambda s: edit.remove(s, "claim", "newer"),
    )
    for step in steps:
        with connect.writing_to(path) as session:
            step(session)
        states.append(_content(path))
    for state in reversed(states[:-1]):
        with connect.writing_to(path) as session:
            edit.undo(session)
        assert _content(path) == state
    with contextlib.closing(connect.open_to_read(path)) as connection:
        assert [c["action"] for c in queries.history(connection, limit=4)] == ["undo"] * 4


def test_there_is_an_end_to_undo(path: Path) -> None:
    with pytest.raises(KbError, match="nothing to undo"), connect.writing_to(path) as session:
        for _ in range(10):
            edit.undo(session)


def test_undo_does_not_pull_a_claim_from_under_another(path: Path) -> None:
    with connect.writing_to(path) as session:
        edit.put(session, claim("base"))
        edit.put(
            session, claim("top", relations=[{"type": "supports", "claim": "base"}]), record_history=False
        )
    with pytest.raises(KbError, match="used by claim top"), connect.writing_to(path) as session:
        edit.undo(session)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_valid_claim_comes_back_as_it_went_in_and_is_found_by_its_words(
    path: Path, data: st.DataObject
) -> None:
    ids = st.sampled_from(["p", "q", "r"])
    made = data.draw(strategies.claims(ids=ids, sources=["paper2020"], targets=["a-claim"]))
    with connect.writing_to(path) as session:
        edit.put(session, made)
    with contextlib.closing(connect.open_to_read(path)) as connection:
        assert queries.record(connection, "claim", made.id) == records.plain(made)
        text, wanted = (
            connection.execute(f"SELECT * FROM {table} WHERE claim_id = ?", (made.id,)).fetchone()
            for table in ("claim_text", "claim_text_wanted")
        )
        assert [text[c] for c in ("statement", "quotes", "sources", "tags")] == list(wanted)[1:]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["put", "remove", "undo"]), st.sampled_from("abc"), st.integers(0, 3)))
)
def test_random_edits_leave_the_store_and_its_index_whole(
    path: Path, steps: list[tuple[str, str, int]]
) -> None:
    for action, id_, number in steps:
        with contextlib.suppress(KbError), connect.writing_to(path) as session:
            if action == "put":
                edit.put(session, claim(id_, statement=f"Word{number} of {id_}.", tags=[f"t{number}"]))
            elif action == "remove":
                edit.remove(session, "claim", id_)
            else:
                edit.undo(session)
    with contextlib.closing(connect.open_to_read(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        wanted = connection.execute("SELECT * FROM claim_text_wanted ORDER BY claim_id").fetchall()
        columns = "claim_id, statement, quotes, sources, tags"
        kept = connection.execute(f"SELECT {columns} FROM claim_text ORDER BY claim_id").fetchall()
        assert [tuple(row) for row in kept] == [tuple(row) for row in wanted]
    with connect.writing_to(path) as session:
        connect.raw(session).execute("INSERT INTO search(search, rank) VALUES ('integrity-check', 1)")


def test_a_changed_source_is_found_by_its_new_title(path: Path) -> None:
    from kb.store.search import search_claims

    with connect.writing_to(path) as session:
        edit.put(session, source(title="Zebrafish"))
    with contextlib.closing(connect.open_to_read(path)) as connection:
        assert [c["id"] for c in search_claims(connection, "zebrafish")[0]] == ["a-claim"]


def test_who_changed_it_comes_from_the_environment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_USER", "Jane")
    with connect.writing_to(path) as session:
        edit.put(session, claim("new"), why="because")
    with contextlib.closing(connect.open_to_read(path)) as connection:
        assert {k: queries.history(connection)[0][k] for k in ("by", "why", "action", "name")} == {
            "by": "Jane",
            "why": "because",
            "action": "add",
            "name": "new",
        }


def test_undo_brings_a_source_back_with_its_fields_in_their_order(path: Path) -> None:
    with connect.writing_to(path) as session:
        edit.put(session, source("zed", volume="1", booktitle="B"))
        edit.remove(session, "source", "zed")
        edit.undo(session)
        found = queries.record(connect.raw(session), "source", "zed")
    assert found is not None
    assert list(found["fields"]) == ["title", "author", "year", "volume", "booktitle"]
