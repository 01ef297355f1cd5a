-- Version 4 of selfplay.db: bake-offs, and prompts that no training row may hold.

-- One row: a folder holds one bake-off and nothing else. What is in `plan` and `cases` is the bake-off's business.
CREATE TABLE bakeoff (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    fingerprint TEXT NOT NULL,               -- of all that must be equal for another start to go on with it
    seed TEXT NOT NULL,
    plan TEXT NOT NULL,
    cases TEXT NOT NULL,
    wanted INTEGER NOT NULL,                 -- how many of the cases are asked
    sequential INTEGER NOT NULL CHECK (sequential IN (0, 1))
) STRICT;

-- Each model is a run, each case a round of one prompt, numbered by the case's place.
CREATE TABLE contestant (
    run INTEGER PRIMARY KEY REFERENCES run (seq),
    model TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL                     -- of the build that answers, blank where the server tells none
) STRICT;

CREATE TABLE bakeoff_mark (
    trace_id TEXT PRIMARY KEY REFERENCES prompt (trace_id),
    mark TEXT NOT NULL,
    why TEXT NOT NULL,                       -- blank where the mark says all
    detail TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Traces of cases that not every model got right, or wrong.
CREATE TABLE contrast (
    n INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER contrast_delete AFTER DELETE ON trace BEGIN
    DELETE FROM contrast WHERE n = old.n;
END;

-- Cases of bake-offs: nothing like them becomes a row.
CREATE TABLE ban (
    id INTEGER PRIMARY KEY AUTOINCREMENT,    -- what was lifted does not come back as another
    prompt TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;
