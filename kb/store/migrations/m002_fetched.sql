-- What look-ups of sources answered, with the date: also the provenance of what checks say.
CREATE TABLE fetched (
    url TEXT NOT NULL,
    at TEXT NOT NULL,
    status INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    body_sha256 TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (url)
);
