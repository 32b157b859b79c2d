"""The one merge: record by record, three-way, against each record's content at the last sync with an origin.

Ours is the store, theirs a library's text or an export file. Unchanged on one side: the other wins. Changed
on both: ours stays, theirs is kept in the conflict table until somebody decides. A record that was removed
on one side and not changed on the other goes, unless something still points at it. All in one transaction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kb import records
from kb.errors import KbError
from kb.library import agreement, freshness, references
from kb.library.agreement import Conflicting
from kb.library.ours import Ours, ours_of, under_todays_name
from kb.library.report import Report, Taken
from kb.library.side import Fingerprint, Name, Placed, Side, fingerprint, text_of
from kb.library.text import BrokenLibrary, Problem, kind_of

if TYPE_CHECKING:
    from sqlmodel import Session

LIBRARY = "library"
RELEASE = "release"
_PUT_ORDER = {"source": 0, "claim": 1, "figure": 2, "talk": 3}
_REMOVE_ORDER = {"talk": 0, "figure": 1, "claim": 2, "source": 3}


class _Merge:
    """One merge, its three sides, and what is to be done."""

    def __init__(self, session: Session, side: Side, origin: str, known: bool) -> None:
        from kb.store.connect import raw

        self.session = session
        self.connection = raw(session)
        self.side = side
        self.origin = origin
        self.known = known
        self.report = Report(origin)
        self.why = f"{agreement.MERGED}{origin}"
        self.ours = Ours()
        self.agreed: set[Name] = set()
        self.renamed: set[Name] = set()
        self.take: set[Name] = set()
        self.settled: set[Name] = set()
        self.conflicts: dict[Name, str] = {}
        self.former: dict[Name, tuple[str, str]] = {}
        self.first_met: set[Name] = set()
        self.brought_back: set[Name] = set()
        self.given_up: dict[Name, Name] = {}

    def run(self) -> Report:
        self._follow_renames()
        agreement.follow_renames(self.connection)
        ours = self.ours = ours_of(self.connection)
        self._in_our_names(ours)
        self.renamed = {(kind, new) for (kind, _), new in self.side.names.items()}
        base = self._base(ours)
        for key in sorted({*base, *ours.prints, *self.side.prints}):
            self._decide(key, ours.prints.get(key), self.side.prints.get(key), base.get(key))
        self._bring_back(ours)
        self._wait_for_names(ours, base)
        self._keep_what_is_used(ours)
        self._apply()
        self._note(base)
        if self.origin == LIBRARY:
            self._move(ours)
            agreement.meta(self.connection, freshness.KEY, self.side.digest)
            older = "\n".join(f"{kind} {old}" for kind, old in self.side.names)
            agreement.meta(self.connection, freshness.OLDER_NAMES, older)
        return self.report

    # --- names ---------------------------------------------------------------------------------------

    def _follow_renames(self) -> None:
        """What they renamed is renamed here too, so that our own records that point at it follow."""
        from kb.store import edit, queries

        names = {(k, name) for k in ("claim", "source") for name in queries.names(self.connection, k)}
        for (kind, old), new in sorted(self.side.aliases.items()):
            free = (kind, old) in names and (kind, old) not in self.side.prints and (kind, new) not in names
            if free and not agreement.was_never_out(self.connection, (kind, old)):
                edit.rename(self.session, kind, old, new, why=self.why)
                names.add((kind, new))
                self.report.taken.append(Taken(kind, new, "renamed", f"from {old}"))

    def _in_our_names(self, ours: Ours) -> None:
        """What we renamed is compared under its new name, and so is what points at it."""
        self.agreed = {(k, name) for k, name, _ in agreement.rows(self.connection, self.origin)}
        for (kind, old), new in list(ours.aliases.items()):
            if (kind, old) in self.side.prints and (kind, old) not in ours.prints:
                if {(kind, old), (kind, new)} <= self.agreed:
                    del ours.aliases[kind, old]  # two that we made one: theirs is what was removed here
                    continue
                if self._is_another(kind, old, new):
                    self._must_be_in_step(kind, old, new)
                    self.given_up[kind, old] = (kind, new)
                    del ours.aliases[kind, old]
                    continue
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

    def _must_be_in_step(self, kind: str, old: str, new: str) -> None:
        """Our own text must not have two records under one name, ours of before and theirs of now."""
        row = self.connection.execute(
            "SELECT value FROM meta WHERE name = ?", (freshness.OLDER_NAMES,)
        ).fetchone()
        if self.origin != LIBRARY and row and f"{kind} {old}" in row[0].split("\n"):
            raise KbError(
                f"{old} is another record in {self.origin}, and your text still calls {new} so",
                "run `kb library export` first",
                code=1,
            )

    def _is_another(self, kind: str, old: str, new: str) -> bool:
        """Whether theirs of that name is not the record that was called so here once."""
        if (kind, new) not in self.side.prints:
            theirs = text_of(self.side.get((kind, old)).data)
            return agreement.is_another(self.connection, self.origin, kind, old, theirs)
        # They have both, as two; unless it was we who renamed what they still have, and their new one is a third.
        if (kind, old) in self.agreed:
            return False
        made_here = agreement.was_added_here(self.connection, (kind, new))
        return made_here or not agreement.was_renamed_here(self.connection, kind, old, new)

    def _base(self, ours: Ours) -> dict[Name, Fingerprint]:
        """Fingerprints at the last sync, under today's names.

        A first sync with somebody else's library goes by what both had from the shared one; that never
        counts as a removal, since nobody says that theirs is a whole library. Where theirs does not say whose it
        is, each sync is a first one, but for what is as it was seen before.
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
            key, today = under_todays_name(kind, name, content, names, former)
            if not self.known and self.side.prints.get(key) != fingerprint(today):
                continue  # what another may have left at the same place says nothing of what this one changed
            base[key] = fingerprint(today)
            if key != (kind, name):
                self.former[kind, name] = key[1], today
        if self.origin not in (LIBRARY, RELEASE):
            for shared in (RELEASE, LIBRARY):
                for kind, name, content in agreement.rows(self.connection, shared):
                    key, today = under_todays_name(kind, name, content, names, former)
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
            # Of what we renamed the text still has the older name.
            self.report.ahead += key in self.renamed
            self.report.same += key not in self.renamed
        elif their == base or (our == base and key in self.first_met and self._is_behind(key)):
            self.report.ahead += 1
            self.report.gone += our is None
        elif their is None and our == base and self._renamed_to_another(key):
            self.conflicts[key] = (
                f"renamed there to {self.side.aliases[key]}, which here is another: rename that one"
            )
        elif our == base and not (key in self.first_met and self._is_changed_here(key)):
            self.take.add(key)
        elif their is None:
            self.conflicts[key] = "changed here, removed there"
        elif our is None:
            self.conflicts[key] = "removed here, changed there"
        else:
            self.conflicts[key] = "added on both sides" if base is None else "changed on both sides"

    def _bring_back(self, ours: Ours) -> None:
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
                    what = (
                        f"{one.kind} {one.name}: no {target[0]} named {target[1]!r} here or there;"
                        " name another, or let whoever still has it take ours and export"
                    )
                    problems.append(Problem(home or one.where, int(line or 0), what))
        if problems:
            raise BrokenLibrary(problems)

    def _wait_for_names(self, ours: Ours, base: dict[Name, Fingerprint]) -> None:
        """What names a record that both added waits with it: taken now, it would name ours, which may be another."""
        waiting = [key for key in self.conflicts if key in ours.prints and self._may_be_another(key, base)]
        while waiting:
            kind, name = waiting.pop()
            for key in self.side.points.get((kind, name), ()):
                if key in self.take and key in self.side.prints:
                    self.conflicts[key] = f"names the {kind} {name}, which waits for a decision"
                    self.take.discard(key)
                    if key not in ours.prints:
                        waiting.append(key)

    def _may_be_another(self, key: Name, base: dict[Name, Fingerprint]) -> bool:
        return key not in base or (key in self.first_met and agreement.was_added_here(self.connection, key))

    def _renamed_to_another(self, key: Name) -> bool:
        target = (key[0], self.side.aliases.get(key, ""))
        return target in self.ours.prints and target not in self.agreed  # else they made one of two

    def _is_changed_here(self, key: Name) -> bool:
        """At a first meeting: where ours had several contents nobody knows from which of them theirs was made."""
        return agreement.is_ours(self.connection, key) or agreement.was_changed(self.connection, key)

    def _is_behind(self, key: Name) -> bool:
        """Whether theirs is what ours once was: same content, and no name that ours does not know."""
        data = self.side.get(key).data
        known = {key[1], *self.ours.former.get(key, ())}
        return set(data.get("aliases", ())) <= known and agreement.was_ours(
            self.connection, key, text_of(data)
        )

    def _keep_what_is_used(self, ours: Ours) -> None:
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
            for (_, old), (kind, new) in self.given_up.items():
                self._give_up(kind, old, new)
            for key in sorted(puts, key=lambda key: (_PUT_ORDER[key[0]], self.side.places[key], key)):
                self._put(key)
            gone = self.take - set(puts)
            for key in sorted(gone, key=lambda key: (_REMOVE_ORDER[key[0]], key)):
                edit.remove(self.session, *key, why=self.why, even_if_used=True)
                self.report.taken.append(Taken(*key, "removed"))

    def _give_up(self, kind: str, old: str, new: str) -> None:
        """Our record's former name is that of another record of theirs, which takes it."""
        from kb.store import edit, queries

        ours = queries.record(self.connection, kind, new)
        assert ours is not None, "it was there when names were compared"
        rest = [alias for alias in ours["aliases"] if alias != old]
        record = records.parse(kind, _with_aliases(ours, rest))
        edit.put(self.session, record, why=f"{self.why}: {old} is another record there")
        self.report.taken.append(Taken(kind, new, "changed", f"{old} is another record there"))

    def _put(self, key: Name) -> None:
        from kb.store import edit

        one = self._without_names_of_others(self.side.get(key))
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

    def _without_names_of_others(self, one: Placed) -> Placed:
        """Theirs without the former names that here are names of other records."""
        aliases = one.data.get("aliases", [])
        others = [
            alias
            for alias in aliases
            if ((one.kind, alias) in self.ours.prints and not self._goes((one.kind, alias)))
            or self.ours.aliases.get((one.kind, alias), one.name) != one.name
        ]
        if not others:
            return one
        self.report.taken.append(
            Taken(one.kind, one.name, "changed", f"{', '.join(others)} is another record here")
        )
        rest = [alias for alias in aliases if alias not in others]
        return replace(one, data=_with_aliases(one.data, rest))

    def _goes(self, key: Name) -> bool:
        return key in self.take and key not in self.side.prints

    def _is_there(self, key: Name) -> bool:
        column = records.KEYS[key[0]]
        found = self.connection.execute(f"SELECT 1 FROM {key[0]} WHERE {column} = ?", (key[1],))
        return found.fetchone() is not None

    def _move(self, ours: Ours) -> None:
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


def _with_aliases(data: dict[str, Any], aliases: list[str]) -> dict[str, Any]:
    """A content with these former names; without the field where there are none, as `kb.records.plain` has it."""
    return {field: aliases if field == "aliases" else value
            for field, value in data.items() if field != "aliases" or aliases}  # fmt: skip


def merge(session: Session, side: Side, origin: str, *, known: bool = True) -> Report:
    """Merge `side` into the store of `session`.

    Args:
        origin: what the other side is called, and what was agreed with it is kept under.
        known: whether all that comes from `origin` comes from one store.

    Raises:
        BrokenLibrary: when it names records that neither side has.
        KbError: when a record cannot be stored. The caller's transaction then rolls everything back.
    """
    return _Merge(session, side, origin, known).run()
