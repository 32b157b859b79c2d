-- The first schema. Frozen: a later change is a later file. kb/schema.py says what the columns mean.

CREATE TABLE alias (
    kind TEXT NOT NULL,
    alias TEXT NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (kind, alias),
    CONSTRAINT kind_is_known CHECK (kind IN ('claim', 'source'))
);

CREATE INDEX ix_alias_name ON alias (name);

CREATE TABLE change (
    seq INTEGER NOT NULL,
    at TEXT NOT NULL,
    "by" TEXT NOT NULL,
    why TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    action TEXT NOT NULL,
    "before" TEXT,
    "after" TEXT,
    undoes INTEGER,
    PRIMARY KEY (seq),
    CONSTRAINT action_is_known CHECK (action IN ('add', 'edit', 'remove', 'undo', 'verdict')),
    CONSTRAINT before_is_json CHECK (before IS NULL OR json_valid(before)),
    CONSTRAINT after_is_json CHECK (after IS NULL OR json_valid(after))
);

CREATE INDEX change_by_record ON change (kind, name);

CREATE TABLE claim (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    statement TEXT NOT NULL,
    asserted_by TEXT NOT NULL,
    date TEXT,
    date_note TEXT,
    status TEXT NOT NULL,
    headline TEXT,
    number TEXT,
    caveat TEXT,
    answer TEXT,
    note TEXT,
    home TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT kind_is_known CHECK (kind IN ('achievement', 'framing', 'empirical', 'prediction', 'advice', 'question')),
    CONSTRAINT status_is_known CHECK (status IN ('supported', 'disputed', 'refuted', 'open', 'superseded')),
    CONSTRAINT id_has_a_length CHECK (length(id) BETWEEN 1 AND 80),
    CONSTRAINT statement_has_a_length CHECK (length(statement) BETWEEN 1 AND 600)
);

CREATE INDEX claim_by_kind ON claim (kind, status);

CREATE TABLE "conflict" (
    origin TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    theirs TEXT,
    at TEXT NOT NULL,
    PRIMARY KEY (origin, kind, name)
);

CREATE TABLE meta (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE reproduction (
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    version TEXT NOT NULL,
    code_digest TEXT NOT NULL,
    manifest TEXT NOT NULL,
    PRIMARY KEY (name),
    CONSTRAINT manifest_is_json CHECK (json_valid(manifest))
);

CREATE TABLE run (
    id TEXT NOT NULL,
    reproduction TEXT NOT NULL,
    version TEXT NOT NULL,
    preset TEXT NOT NULL,
    state TEXT NOT NULL,
    recorded BOOLEAN NOT NULL,
    started TEXT NOT NULL,
    seconds FLOAT,
    cpu_seconds FLOAT,
    peak_memory_mb FLOAT,
    seed INTEGER NOT NULL,
    code_digest TEXT NOT NULL,
    data_digest TEXT NOT NULL,
    config TEXT NOT NULL,
    protocol TEXT NOT NULL,
    criteria TEXT NOT NULL,
    departures TEXT NOT NULL,
    environment TEXT NOT NULL,
    folder TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (id),
    CONSTRAINT state_is_known CHECK (state IN ('running', 'finished', 'failed', 'interrupted')),
    CONSTRAINT preset_is_known CHECK (preset IN ('smoke', 'quick', 'full')),
    CONSTRAINT config_is_json CHECK (json_valid(config)),
    CONSTRAINT protocol_is_json CHECK (json_valid(protocol)),
    CONSTRAINT criteria_is_json CHECK (json_valid(criteria)),
    CONSTRAINT departures_is_json CHECK (json_valid(departures)),
    CONSTRAINT environment_is_json CHECK (json_valid(environment))
);

CREATE INDEX run_by_reproduction ON run (reproduction, preset);

CREATE TABLE source (
    "key" TEXT NOT NULL,
    type TEXT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    authors TEXT NOT NULL,
    year TEXT NOT NULL,
    doi TEXT NOT NULL,
    eprint TEXT NOT NULL,
    url TEXT NOT NULL,
    fields TEXT NOT NULL,
    home TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY ("key"),
    CONSTRAINT kind_is_known CHECK (kind IN ('paper', 'post', 'talk', 'podcast', 'thesis', 'book', 'repository', 'review', 'comment')),
    CONSTRAINT key_has_a_length CHECK (length(key) BETWEEN 1 AND 100),
    CONSTRAINT fields_is_json CHECK (json_valid(fields))
);

CREATE INDEX source_by_doi ON source (doi);

CREATE INDEX source_by_eprint ON source (eprint);

CREATE TABLE sync_base (
    origin TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (origin, kind, name)
);

CREATE TABLE talk (
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    minutes FLOAT NOT NULL,
    content TEXT NOT NULL,
    home TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (name),
    CONSTRAINT minutes_are_some CHECK (minutes > 0),
    CONSTRAINT content_is_json CHECK (json_valid(content))
);

CREATE TABLE artifact (
    run_id TEXT NOT NULL,
    path TEXT NOT NULL,
    title TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (run_id, path),
    FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);

CREATE TABLE check_result (
    claim_id TEXT NOT NULL,
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (claim_id, name, subject),
    CONSTRAINT outcome_is_known CHECK (outcome IN ('pass', 'derived', 'fail', 'unknown', 'skipped', 'stale')),
    FOREIGN KEY(claim_id) REFERENCES claim (id) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE citation (
    id INTEGER NOT NULL,
    claim_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    source_key TEXT NOT NULL,
    stance TEXT NOT NULL,
    cited_by TEXT,
    directness TEXT NOT NULL,
    role TEXT,
    locator TEXT,
    quote TEXT,
    seen TEXT NOT NULL,
    seen_at TEXT,
    absence TEXT,
    note TEXT,
    PRIMARY KEY (id),
    CONSTRAINT stance_is_known CHECK (stance IN ('asserts', 'supports', 'disputes', 'qualifies', 'background')),
    CONSTRAINT directness_is_known CHECK (directness IN ('direct', 'indirect')),
    CONSTRAINT role_is_known CHECK (role IS NULL OR role IN ('own-result', 'restated', 'hypothesis', 'limitation')),
    CONSTRAINT seen_is_known CHECK (seen IN ('primary', 'paper-copy', 'web-copy', 'repository', 'second-hand', 'comment', 'not-read')),
    CONSTRAINT a_quote_was_seen CHECK (quote IS NULL OR seen <> 'not-read'),
    CONSTRAINT absence_is_json CHECK (absence IS NULL OR json_valid(absence)),
    UNIQUE (claim_id, position),
    FOREIGN KEY(claim_id) REFERENCES claim (id) ON DELETE CASCADE ON UPDATE CASCADE,
    FOREIGN KEY(source_key) REFERENCES source ("key") ON UPDATE CASCADE
);

CREATE INDEX citation_by_source ON citation (source_key);

CREATE TABLE claim_text (
    rowid INTEGER NOT NULL,
    claim_id TEXT NOT NULL,
    statement TEXT NOT NULL,
    quotes TEXT NOT NULL,
    sources TEXT NOT NULL,
    tags TEXT NOT NULL,
    PRIMARY KEY (rowid),
    UNIQUE (claim_id),
    FOREIGN KEY(claim_id) REFERENCES claim (id) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE claim_verdict (
    claim_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    because TEXT NOT NULL,
    since TEXT NOT NULL,
    run_id TEXT,
    PRIMARY KEY (claim_id),
    CONSTRAINT verdict_is_known CHECK (verdict IN ('supported', 'refuted', 'mixed', 'inconclusive', 'unchecked', 'stale')),
    FOREIGN KEY(claim_id) REFERENCES claim (id) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE computation (
    claim_id TEXT NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    expression TEXT NOT NULL,
    expected TEXT NOT NULL,
    decimals INTEGER NOT NULL,
    unit TEXT,
    assumes TEXT,
    decides BOOLEAN NOT NULL,
    note TEXT,
    PRIMARY KEY (claim_id, name),
    CONSTRAINT expected_is_json CHECK (json_valid(expected)),
    CONSTRAINT decimals_are_few CHECK (decimals BETWEEN 0 AND 9),
    FOREIGN KEY(claim_id) REFERENCES claim (id) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE criterion (
    reproduction TEXT NOT NULL,
    name TEXT NOT NULL,
    claim_id TEXT NOT NULL,
    metric TEXT NOT NULL,
    meaning TEXT NOT NULL,
    low FLOAT,
    high FLOAT,
    is_primary BOOLEAN NOT NULL,
    analogue BOOLEAN NOT NULL,
    wording TEXT NOT NULL,
    PRIMARY KEY (reproduction, name),
    CONSTRAINT meaning_is_known CHECK (meaning IN ('supports', 'refutes')),
    CONSTRAINT a_region_has_a_bound CHECK (low IS NOT NULL OR high IS NOT NULL),
    FOREIGN KEY(reproduction) REFERENCES reproduction (name) ON DELETE CASCADE
);

CREATE INDEX criterion_by_claim ON criterion (claim_id);

CREATE TABLE figure (
    id TEXT NOT NULL,
    source_key TEXT NOT NULL,
    locator TEXT NOT NULL,
    quantity TEXT NOT NULL,
    value FLOAT,
    spread FLOAT,
    unit TEXT NOT NULL,
    scale TEXT NOT NULL,
    environment TEXT,
    dataset TEXT,
    method TEXT,
    protocol TEXT,
    seen TEXT NOT NULL,
    seen_at TEXT,
    note TEXT,
    home TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT unit_is_known CHECK (unit IN ('percent', 'score', 'count', 'ratio', 'steps', 'probability', 'seconds', 'bytes', 'nats')),
    CONSTRAINT scale_is_known CHECK (scale IN ('0-1', '0-100', 'd4rl-normalised', 'human-normalised', 'raw', 'log')),
    CONSTRAINT seen_is_known CHECK (seen IN ('primary', 'paper-copy', 'web-copy', 'repository', 'second-hand', 'comment', 'not-read')),
    CONSTRAINT a_value_was_read CHECK (value IS NULL OR seen <> 'not-read'),
    FOREIGN KEY(source_key) REFERENCES source ("key") ON UPDATE CASCADE
);

CREATE INDEX figure_by_source ON figure (source_key);

CREATE TABLE judgement (
    run_id TEXT NOT NULL,
    criterion TEXT NOT NULL,
    claim_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    is_primary BOOLEAN NOT NULL,
    analogue BOOLEAN NOT NULL,
    post_hoc BOOLEAN NOT NULL,
    because TEXT NOT NULL,
    PRIMARY KEY (run_id, criterion),
    CONSTRAINT verdict_is_known CHECK (verdict IN ('supported', 'refuted', 'mixed', 'inconclusive', 'unchecked', 'stale')),
    FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);

CREATE INDEX judgement_by_claim ON judgement (claim_id);

CREATE TABLE metric (
    run_id TEXT NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    value FLOAT,
    low FLOAT,
    high FLOAT,
    n INTEGER NOT NULL,
    unit TEXT NOT NULL,
    method TEXT NOT NULL,
    title TEXT NOT NULL,
    PRIMARY KEY (run_id, name),
    FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);

CREATE TABLE prediction (
    claim_id TEXT NOT NULL,
    probability FLOAT,
    forecaster TEXT NOT NULL,
    made TEXT,
    horizon TEXT,
    about TEXT,
    resolution TEXT NOT NULL,
    outcome TEXT,
    PRIMARY KEY (claim_id),
    CONSTRAINT probability_is_one CHECK (probability IS NULL OR probability BETWEEN 0 AND 1),
    CONSTRAINT outcome_is_json CHECK (outcome IS NULL OR json_valid(outcome)),
    FOREIGN KEY(claim_id) REFERENCES claim (id) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE relation (
    claim_id TEXT NOT NULL,
    type TEXT NOT NULL,
    target TEXT NOT NULL,
    position INTEGER NOT NULL,
    note TEXT,
    PRIMARY KEY (claim_id, type, target),
    CONSTRAINT type_is_known CHECK (type IN ('supports', 'rebuts', 'undercuts', 'qualifies', 'answers', 'supersedes', 'same-as')),
    CONSTRAINT not_to_itself CHECK (claim_id <> target),
    FOREIGN KEY(claim_id) REFERENCES claim (id) ON DELETE CASCADE ON UPDATE CASCADE,
    FOREIGN KEY(target) REFERENCES claim (id) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX relation_by_target ON relation (target);

CREATE TABLE rendering (
    source_key TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    kind TEXT NOT NULL,
    at TEXT NOT NULL,
    location TEXT NOT NULL,
    extractor TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (source_key, sha256),
    FOREIGN KEY(source_key) REFERENCES source ("key") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE sample (
    id INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    metric TEXT NOT NULL,
    unit TEXT NOT NULL,
    value FLOAT NOT NULL,
    weight FLOAT,
    PRIMARY KEY (id),
    FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE
);

CREATE INDEX sample_by_run ON sample (run_id, metric);

CREATE TABLE tag (
    claim_id TEXT NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (claim_id, name),
    FOREIGN KEY(claim_id) REFERENCES claim (id) ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX tag_by_name ON tag (name);

CREATE VIRTUAL TABLE search USING fts5(
    statement, quotes, sources, tags,
    content='claim_text', content_rowid='rowid', tokenize='porter unicode61 remove_diacritics 2'
);

-- The index follows claim_text.
CREATE TRIGGER claim_text_added AFTER INSERT ON claim_text BEGIN
    INSERT INTO search(rowid, statement, quotes, sources, tags)
    VALUES (new.rowid, new.statement, new.quotes, new.sources, new.tags);
END;

CREATE TRIGGER claim_text_removed AFTER DELETE ON claim_text BEGIN
    INSERT INTO search(search, rowid, statement, quotes, sources, tags)
    VALUES ('delete', old.rowid, old.statement, old.quotes, old.sources, old.tags);
END;

CREATE TRIGGER claim_text_changed AFTER UPDATE ON claim_text BEGIN
    INSERT INTO search(search, rowid, statement, quotes, sources, tags)
    VALUES ('delete', old.rowid, old.statement, old.quotes, old.sources, old.tags);
    INSERT INTO search(rowid, statement, quotes, sources, tags)
    VALUES (new.rowid, new.statement, new.quotes, new.sources, new.tags);
END;

-- What claim_text should hold, claim by claim.
CREATE VIEW claim_text_wanted AS
SELECT
    c.id AS claim_id,
    c.statement AS statement,
    COALESCE((SELECT GROUP_CONCAT(t.quote, char(10)) FROM citation t WHERE t.claim_id = c.id), '') AS quotes,
    COALESCE((
        SELECT GROUP_CONCAT(s.key || ' ' || s.title || ' ' || s.authors, char(10))
        FROM source s WHERE s.key IN (SELECT t.source_key FROM citation t WHERE t.claim_id = c.id)
    ), '') AS sources,
    c.id || ' ' || c.asserted_by || ' ' || COALESCE(c.headline, '') || ' '
        || COALESCE((SELECT GROUP_CONCAT(g.name, ' ') FROM tag g WHERE g.claim_id = c.id), '') AS tags
FROM claim c;

-- claim_text follows the tables, whoever writes them; a bulk load switches this off and rebuilds at its end.

CREATE TRIGGER claim_added AFTER INSERT ON claim
WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'bulk') BEGIN
    INSERT INTO claim_text(claim_id, statement, quotes, sources, tags)
    SELECT claim_id, statement, quotes, sources, tags FROM claim_text_wanted WHERE claim_id = new.id
    ON CONFLICT(claim_id) DO UPDATE SET statement = excluded.statement, quotes = excluded.quotes,
        sources = excluded.sources, tags = excluded.tags;
END;

CREATE TRIGGER claim_changed AFTER UPDATE ON claim
WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'bulk') BEGIN
    INSERT INTO claim_text(claim_id, statement, quotes, sources, tags)
    SELECT claim_id, statement, quotes, sources, tags FROM claim_text_wanted WHERE claim_id = new.id
    ON CONFLICT(claim_id) DO UPDATE SET statement = excluded.statement, quotes = excluded.quotes,
        sources = excluded.sources, tags = excluded.tags;
END;

CREATE TRIGGER citation_added AFTER INSERT ON citation
WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'bulk') BEGIN
    INSERT INTO claim_text(claim_id, statement, quotes, sources, tags)
    SELECT claim_id, statement, quotes, sources, tags FROM claim_text_wanted WHERE claim_id = new.claim_id
    ON CONFLICT(claim_id) DO UPDATE SET statement = excluded.statement, quotes = excluded.quotes,
        sources = excluded.sources, tags = excluded.tags;
END;

CREATE TRIGGER citation_changed AFTER UPDATE ON citation
WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'bulk') BEGIN
    INSERT INTO claim_text(claim_id, statement, quotes, sources, tags)
    SELECT claim_id, statement, quotes, sources, tags FROM claim_text_wanted WHERE claim_id = new.claim_id
    ON CONFLICT(claim_id) DO UPDATE SET statement = excluded.statement, quotes = excluded.quotes,
        sources = excluded.sources, tags = excluded.tags;
END;

CREATE TRIGGER citation_removed AFTER DELETE ON citation
WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'bulk') BEGIN
    INSERT INTO claim_text(claim_id, statement, quotes, sources, tags)
    SELECT claim_id, statement, quotes, sources, tags FROM claim_text_wanted WHERE claim_id = old.claim_id
    ON CONFLICT(claim_id) DO UPDATE SET statement = excluded.statement, quotes = excluded.quotes,
        sources = excluded.sources, tags = excluded.tags;
END;

CREATE TRIGGER tag_added AFTER INSERT ON tag
WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'bulk') BEGIN
    INSERT INTO claim_text(claim_id, statement, quotes, sources, tags)
    SELECT claim_id, statement, quotes, sources, tags FROM claim_text_wanted WHERE claim_id = new.claim_id
    ON CONFLICT(claim_id) DO UPDATE SET statement = excluded.statement, quotes = excluded.quotes,
        sources = excluded.sources, tags = excluded.tags;
END;

CREATE TRIGGER tag_changed AFTER UPDATE ON tag
WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'bulk') BEGIN
    INSERT INTO claim_text(claim_id, statement, quotes, sources, tags)
    SELECT claim_id, statement, quotes, sources, tags FROM claim_text_wanted WHERE claim_id = new.claim_id
    ON CONFLICT(claim_id) DO UPDATE SET statement = excluded.statement, quotes = excluded.quotes,
        sources = excluded.sources, tags = excluded.tags;
END;

CREATE TRIGGER tag_removed AFTER DELETE ON tag
WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'bulk') BEGIN
    INSERT INTO claim_text(claim_id, statement, quotes, sources, tags)
    SELECT claim_id, statement, quotes, sources, tags FROM claim_text_wanted WHERE claim_id = old.claim_id
    ON CONFLICT(claim_id) DO UPDATE SET statement = excluded.statement, quotes = excluded.quotes,
        sources = excluded.sources, tags = excluded.tags;
END;

CREATE TRIGGER source_changed AFTER UPDATE ON source
WHEN NOT EXISTS (SELECT 1 FROM meta WHERE name = 'bulk') BEGIN
    INSERT INTO claim_text(claim_id, statement, quotes, sources, tags)
    SELECT claim_id, statement, quotes, sources, tags FROM claim_text_wanted WHERE claim_id IN (SELECT claim_id FROM citation WHERE source_key = new.key)
    ON CONFLICT(claim_id) DO UPDATE SET statement = excluded.statement, quotes = excluded.quotes,
        sources = excluded.sources, tags = excluded.tags;
END;
