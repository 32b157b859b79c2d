-- A list goes through the claims by file and place and stops when it has enough: of a large library it reads a page.
DROP INDEX claim_by_kind;

CREATE INDEX claim_by_place ON claim (home, position, id, kind, status);
