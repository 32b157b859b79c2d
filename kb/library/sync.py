"""The one merge: record by record, three-way, against each record's content at the last sync with an origin.

Ours is the store, theirs a library's text or an export file. Unchanged on one side: the other wins. Changed
on both: ours stays, theirs is kept in the conflict table until somebody decides. A record that was removed
on one side and not changed on the other goes, unless something still points at it. All in one transaction.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kb import records
from kb.errors import KbError
from kb.library import agreement, freshness, references
from kb.library.agreement import Conflicting
from kb.library.side import Fingerprint, Former, Name, Side, fingerprint, of_store, text_of, under_name
from kb.library.text import BrokenLibrary, Problem, kind_of

if TYPE_CHECKING:
    from sqlmodel import Session

LIBRARY = "library"
RELEASE = "release"
_PUT_ORDER = {"source": 0, "claim": 1, "figure": 2, "talk": 3}
_REMOVE_ORDER = {"talk": 0, "figure": 1, "claim": 2, "source": 3}


@dataclass(frozen=True)
class Taken:
    """What the merge did to a record of ours: added, changed, removed, renamed, or brought back."""

    kind: str
    name: str
    action: str
    detail: str = ""


@dataclass
class Report:
    """What a merge with one origin did and left open."""

    origin: str
    taken: list[Taken] = field(default_factory=list)
    conflicts: list[Conflicting] = field(default_factory=list)
    same: int = 0
    ahead: int = 0
    """Records that only our side changed."""


@dataclass
class _Ours:
    """Our side: fingerprints, former names, who points at what, and places."""

    prints: dict[Name, Fingerprint] = field(default_factory=dict)
    aliases: dict[Name, str] = field(default_factory=dict)
    former: Former = field(default_factory=dict)
    points: dict[Name, set[Name]] = field(default_factory=dict)
    places: dict[Name, tuple[str, int]] = field(default_factory=dict)


class _Merge:
    """One merge, its three sides, and what is to be done."""

    def __init__(self, session: Session, side: Side, origin: str) -> None:
        from kb.store.connect import raw

        self.session = session
        self.connection = raw(session)
        self.side = side
        self.origin = origin
        self.report = Report(origin)
        self.why = f"{agreement.MERGED}{origin}"
        self.take: set[Name] = set()
        self.settled: set[Name] = set()
        self.conflicts: dict[Name, str] = {}
        self.former: dict[Name, tuple[str, str]] = {}
        self.first_met: set[Name] = set()
        self.brought_back: set[Name] = set()

    def run(self) -> Report:
        self._follow_renames()
        agreement.follow_renames(self.connection)
        ours = _ours(self.connection)
        self._in_our_names(ours)
        base = self._base(ours)
        for key in sorted({*base, *ours.prints, *self.side.prints}):
            self._decide(key, ours.prints.get(key), self.side.prints.get(key), base.get(key))
        self._bring_back(ours)
        self._keep_what_is_used(ours)
        self._apply()
        self._note(base)
        if self.origin == LIBRARY:
            self._move(ours)
            agreement.meta(self.connection, freshness.KEY, self.side.digest)
        return self.report

    # --- names ---------------------------------------------------------------------------------------

    def _follow_renames(self) -> None:
        """What they renamed is renamed here too, so that our own records that point at it follow."""
        from kb.store import edit, queries

        names = {(k, name) for k in ("claim", "source") for name in queries.names(self.connection, k)}
        for (kind, old), new in sorted(self.side.aliases.items()):
            if (kind, old) in names and (kind, old) not in self.side.prints and (kind, new) not in names:
                edit.rename(self.session, kind, old, new, why=self.why)
                names.add((kind, new))
                self.report.taken.append(Taken(kind, new, "renamed", f"from {old}"))

    def _in_our_names(self, ours: _Ours) -> None:
        """What we renamed is compared under its new name, and so is what points at it."""
        for (kind, old), new in ours.aliases.items():
            if (kind, old) in self.side.prints and (kind, old) not in ours.prints:
                if (kind, new) in self.side.prints:
                    where = self.side.get((kind, old)).where
                    raise KbError(
                        f"{where}: {kind} {old} is a former name of {new} here", "rename one of them"
                    )
                self.side.names[kind, old] = new
        # Both renamed the same record: theirs is compared under our name, and its name will find ours.
        for (kind, old), theirs in sorted(self.side.aliases.items()):
            new = ours.aliases.get((kind, old), "")
            if new and (kind, theirs) not in ours.prints and (kind, new) not in self.side.prints:
                self.side.names.setdefault((kind, theirs), new)
        if self.side.names:
            self.side.former = ours.former
            self.side.index()

    def _base(self, ours: _Ours) -> dict[Name, Fingerprint]:
        """Fingerprints at the last sync, under today's names.

        A first sync with somebody else's library goes by what both had from the shared one; that never
        counts as a removal, since nobody says that theirs is a whole library.
        """
        names = {key: new for key, new in ours.aliases.items() if key not in ours.prints}
        former = dict(ours.former)
        for (kind, old), new in self.side.aliases.items():
            # What we removed and they renamed is one record still, and no new one of theirs.
            if not {(kind, old), (kind, new)} & ours.prints.keys() and (kind, old) not in self.side.prints:
                names.setdefault((kind, old), new)
                former.setdefault((kind, new), []).append(old)
        base: dict[Name, Fingerprint] = {}
        for kind, name, content in agreement.rows(self.connection, self.origin):
            key, today = _under_todays_name(kind, name, content, names, former)
            base[key] = fingerprint(today)
            if key != (kind, name):
                self.former[kind, name] = key[1], today
        if self.origin not in (LIBRARY, RELEASE):
            for shared in (RELEASE, LIBRARY):
                for kind, name, content in agreement.rows(self.connection, shared):
                    key, today = _under_todays_name(kind, name, content, names, former)
                    if key not in base and key in self.side.prints:
                        base[key] = fingerprint(today)
                        self.first_met.add(key)
        if base and not self.side.prints:
            raise KbError(f"{self.origin}: holds no record, and {len(base)} before", "nothing was removed")
        return base

    # --- decisions -----------------------------------------------------------------------------------

    def _decide(
        self, key: Name, our: Fingerprint | None, their: Fingerprint | None, base: Fingerprint | None
    ) -> None:
        if our == their:
            self.settled.add(key)
            self.report.same += 1
        elif their == base or (our == base and key in self.first_met and self._is_behind(key)):
            self.report.ahead += 1
        elif our == base and not (key in self.first_met and agreement.is_ours(self.connection, key)):
            self.take.add(key)
        elif their is None:
            self.conflicts[key] = "changed here, removed there"
        elif our is None:
            self.conflicts[key] = "removed here, changed there"
        else:
            self.conflicts[key] = "added on both sides" if base is None else "changed on both sides"

    def _bring_back(self, ours: _Ours) -> None:
        """What we removed and what they now add needs comes back; what nobody has is an error."""
        problems: list[Problem] = []
        waiting = [key for key in self.take if key in self.side.prints]
        while waiting:
            key = waiting.pop()
            one = self.side.get(key)
            for target in sorted(references.named(one.kind, one.data)):
                if target in ours.prints and not (target in self.take and target not in self.side.prints):
                    continue
                if target in self.take and target in self.side.prints:
                    continue
                if target in self.side.prints:
                    self.take.add(target)
                    self.conflicts.pop(target, None)
                    waiting.append(target)
                    self.brought_back.add(target)
                    self.report.taken.append(Taken(*target, "brought back", f"{key[0]} {key[1]} needs it"))
                elif target in ours.prints:
                    self.take.discard(target)
                    self.conflicts[target] = f"removed there, still used by {key[0]} {key[1]}"
                elif target not in ours.aliases:
                    home, _, line = one.where.rpartition(":")
                    what = f"{one.kind} {one.name}: no {target[0]} named {target[1]!r} here or there"
                    problems.append(Problem(home or one.where, int(line or 0), what))
        if problems:
            raise BrokenLibrary(problems)

    def _is_behind(self, key: Name) -> bool:
        return agreement.was_ours(self.connection, key, text_of(self.side.get(key).data))

    def _keep_what_is_used(self, ours: _Ours) -> None:
        """A removal waits while something that stays points at the record."""
        gone = {key for key in self.take if key not in self.side.prints}
        held = True
        while held:
            held = False
            for key in sorted(gone):
                users = {user for user in ours.points.get(key, ()) if user not in self.take}
                users |= {user for user in self.side.points.get(key, ()) if user in self.take}
                if users:
                    told = ", ".join(f"{kind} {name}" for kind, name in sorted(users)[:3])
                    self.conflicts[key] = f"removed there, still used by {told}"
                    gone.discard(key)
                    self.take.discard(key)
                    held = True

    # --- deeds ---------------------------------------------------------------------------------------

    def _apply(self) -> None:
        from kb.store import edit

        puts = [key for key in self.take if key in self.side.prints]
        with edit.bulk(self.session):
            for key in sorted(puts, key=lambda key: (_PUT_ORDER[key[0]], self.side.places[key], key)):
                self._put(key)
            gone = self.take - set(puts)
            for key in sorted(gone, key=lambda key: (_REMOVE_ORDER[key[0]], key)):
                edit.remove(self.session, *key, why=self.why, even_if_used=True)
                self.report.taken.append(Taken(*key, "removed"))

    def _put(self, key: Name) -> None:
        from kb.store import edit

        one = self.side.get(key)
        home: str | None = one.home if kind_of(one.home) == one.kind else None
        position = one.position if self.origin == LIBRARY else None
        try:
            done = edit.put(
                self.session,
                records.parse(one.kind, one.data),
                home=home if self.origin == LIBRARY or not self._is_there(key) else None,
                position=position,
                why=self.why,
            )
        except KbError as error:
            raise KbError(f"{one.where or self.origin}: {error.message}", error.hint, code=2) from None
        if done != "same" and key not in self.brought_back:
            self.report.taken.append(Taken(*key, done))

    def _is_there(self, key: Name) -> bool:
        column = records.KEYS[key[0]]
        found = self.connection.execute(f"SELECT 1 FROM {key[0]} WHERE {column} = ?", (key[1],))
        return found.fetchone() is not None

    def _move(self, ours: _Ours) -> None:
        """Records keep the place that the text gives them."""
        for key, (home, position) in self.side.places.items():
            if ours.places.get(key, (home, position)) != (home, position):
                column = records.KEYS[key[0]]
                self.connection.execute(
                    f"UPDATE {key[0]} SET home = ?, position = ? WHERE {column} = ?", (home, position, key[1])
                )

    def _note(self, base: dict[Name, Fingerprint]) -> None:
        """What both sides agree on now, and what they do not."""
        for (kind, old), (new, content) in self.former.items():
            agreement.forget(self.connection, self.origin, kind, old)
            agreement.agree(self.connection, self.origin, kind, new, content)
        met = {key for key in self.first_met if key not in self.conflicts}
        for key in self.settled | self.take | met:
            print_ = self.side.prints.get(key)
            if print_ is None:
                agreement.forget(self.connection, self.origin, *key)
            elif print_ != base.get(key) or key in self.first_met:
                content = text_of(self.side.get(key).data)
                agreement.agree(self.connection, self.origin, *key, content)
        from kb.store.edit import now

        kept = {
            (kind, name): (theirs, at)
            for kind, name, theirs, at in self.connection.execute(
                "SELECT kind, name, theirs, at FROM conflict WHERE origin = ?", (self.origin,)
            )
        }
        self.connection.execute("DELETE FROM conflict WHERE origin = ?", (self.origin,))
        for key, why in sorted(self.conflicts.items()):
            theirs = text_of(self.side.get(key).data) if key in self.side.prints else None
            before = kept.get(key)
            at = before[1] if before and before[0] == theirs else now()
            self.connection.execute(
                "INSERT INTO conflict(origin, kind, name, theirs, at) VALUES (?, ?, ?, ?, ?)",
                (self.origin, *key, theirs, at),
            )
            self.report.conflicts.append(Conflicting(self.origin, *key, why))


def merge(session: Session, side: Side, origin: str) -> Report:
    """Merge `side` into the store of `session`.

    Raises:
        BrokenLibrary: when it names records that neither side has.
        KbError: when a record cannot be stored. The caller's transaction then rolls everything back.
    """
    return _Merge(session, side, origin).run()


def _ours(connection: sqlite3.Connection) -> _Ours:
    ours = _Ours()
    for one in of_store(connection):
        key = (one.kind, one.name)
        ours.prints[key] = fingerprint(text_of(one.data))
        ours.places[key] = (one.home, one.position)
        if one.data.get("aliases"):
            ours.former[key] = one.data["aliases"]
        for alias in one.data.get("aliases", ()):
            ours.aliases[one.kind, alias] = one.name
        for target in references.points(one.kind, one.data):
            ours.points.setdefault(target, set()).add(key)
    return ours


def _under_todays_name(
    kind: str, name: str, content: str, names: references.Names, former: Former
) -> tuple[Name, str]:
    new = names.get((kind, name))
    if not names or not (new or any(f'"{old}"' in content for _, old in names)):
        return (kind, name), content
    data = references.renamed(kind, json.loads(content), names)
    if new:
        data = under_name(kind, data, new, former.get((kind, new), ()))
    return (kind, new or name), text_of(data)
