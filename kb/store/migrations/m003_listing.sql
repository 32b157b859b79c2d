-- A list goes through the claims by file and place and stops when it has enough: of a large library it reads a page.
DROP INDEX claim_by_kind;

CREATE INDEX claim_by_place ON claim (home, position, id, kind, status);

-- Where a file ends is asked for each record that is added to it; an export goes through all in this order.
CREATE INDEX source_by_place ON source (home, position, "key");

CREATE INDEX figure_by_place ON figure (home, position, id);
