-- Version 1 of selfplay.db. Names of kinds, outcomes and levels are the values of the enums in models.py.

CREATE TABLE workspace (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    kind TEXT NOT NULL CHECK (kind IN ('sandbox', 'real'))
) STRICT;

CREATE TABLE run (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    seed TEXT NOT NULL,                      -- decimal: a seed may be wider than 64 bits
    fingerprint TEXT NOT NULL,
    rounds INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'done', 'interrupted', 'gave_up')),
    started_at REAL NOT NULL,
    ended_at REAL,
    settings TEXT NOT NULL
) STRICT;

CREATE TABLE round (
    run INTEGER NOT NULL REFERENCES run (seq),
    number INTEGER NOT NULL,
    categories TEXT NOT NULL,                -- a JSON array
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE prompt (
    trace_id TEXT PRIMARY KEY,
    run INTEGER NOT NULL,
    round INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    category TEXT NOT NULL,
    mode TEXT NOT NULL,
    text TEXT NOT NULL,
    open INTEGER NOT NULL DEFAULT 1 CHECK (open IN (0, 1)),   -- 1: no trace yet, or an errored one
    UNIQUE (run, round, slot),
    FOREIGN KEY (run, round) REFERENCES round (run, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX prompt_open ON prompt (run, round, slot) WHERE open = 1;

CREATE TABLE trace (
    n INTEGER PRIMARY KEY AUTOINCREMENT,     -- the number that a person sees; grows in the order of ending
    id TEXT NOT NULL UNIQUE REFERENCES prompt (trace_id),
    run INTEGER NOT NULL REFERENCES run (seq),
    round INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    category TEXT NOT NULL,
    mode TEXT NOT NULL,
    outcome TEXT NOT NULL,
    level TEXT NOT NULL,
    decision TEXT NOT NULL DEFAULT 'undecided',
    attempts INTEGER NOT NULL,
    ended_at REAL NOT NULL,
    prompt TEXT NOT NULL,
    commands TEXT NOT NULL,                  -- of the last answer, one a line
    payload TEXT NOT NULL                    -- the whole trace as JSON; last, so that lists need not read it
) STRICT;

-- An index ends in the rowid: each of these gives one set of filters in the order of n, without a sort.
CREATE INDEX trace_category ON trace (category);
CREATE INDEX trace_outcome ON trace (outcome);
CREATE INDEX trace_decision ON trace (decision);
CREATE INDEX trace_category_outcome ON trace (category, outcome);
CREATE INDEX trace_category_decision ON trace (category, decision);
CREATE INDEX trace_outcome_decision ON trace (outcome, decision);
CREATE INDEX trace_category_outcome_decision ON trace (category, outcome, decision);
CREATE INDEX trace_place ON trace (run, round, slot);
CREATE INDEX trace_undecided ON trace (run, round, slot) WHERE decision = 'undecided' AND outcome <> 'errored';

CREATE TABLE tally (
    run INTEGER NOT NULL,
    category TEXT NOT NULL,
    outcome TEXT NOT NULL,
    decision TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (run, category, outcome, decision)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER tally_insert AFTER INSERT ON trace BEGIN
    INSERT INTO tally VALUES (new.run, new.category, new.outcome, new.decision, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER tally_delete AFTER DELETE ON trace BEGIN
    UPDATE tally SET count = count - 1
    WHERE run = old.run AND category = old.category AND outcome = old.outcome AND decision = old.decision;
END;

CREATE TRIGGER tally_decision AFTER UPDATE OF decision ON trace BEGIN
    UPDATE tally SET count = count - 1
    WHERE run = old.run AND category = old.category AND outcome = old.outcome AND decision = old.decision;
    INSERT INTO tally VALUES (new.run, new.category, new.outcome, new.decision, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE VIRTUAL TABLE trace_text USING fts5 (prompt, commands, content = 'trace', content_rowid = 'n');

CREATE TRIGGER trace_text_insert AFTER INSERT ON trace BEGIN
    INSERT INTO trace_text (rowid, prompt, commands) VALUES (new.n, new.prompt, new.commands);
END;

CREATE TRIGGER trace_text_delete AFTER DELETE ON trace BEGIN
    INSERT INTO trace_text (trace_text, rowid, prompt, commands)
    VALUES ('delete', old.n, old.prompt, old.commands);
END;

CREATE TRIGGER trace_text_update AFTER UPDATE OF n, prompt, commands ON trace BEGIN
    INSERT INTO trace_text (trace_text, rowid, prompt, commands)
    VALUES ('delete', old.n, old.prompt, old.commands);
    INSERT INTO trace_text (rowid, prompt, commands) VALUES (new.n, new.prompt, new.commands);
END;

CREATE TABLE held (
    trace_id TEXT PRIMARY KEY REFERENCES prompt (trace_id),
    payload BLOB NOT NULL,
    since REAL NOT NULL,
    allowed INTEGER CHECK (allowed IN (0, 1)),
    ruled_by TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- Only ever appended to. An undo or redo names the entry that it takes back or restores.
CREATE TABLE decision (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    trace_id TEXT NOT NULL REFERENCES prompt (trace_id),
    kind TEXT NOT NULL CHECK (kind IN ('accept', 'reject', 'edit', 'skip', 'undo', 'redo')),
    target INTEGER REFERENCES decision (seq),
    payload TEXT,                            -- the decision as JSON; NULL for undo and redo
    row_id TEXT,                             -- of the row that an accept or edit gives, if it gives one
    at REAL NOT NULL,
    by TEXT NOT NULL,
    CHECK ((kind IN ('undo', 'redo')) = (target IS NOT NULL)),
    CHECK ((payload IS NULL) = (target IS NOT NULL))
) STRICT;

CREATE INDEX decision_trace ON decision (trace_id);

-- The order of the rows in every output. AUTOINCREMENT: a number that was given away never comes back.
CREATE TABLE accepted (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    trace_id TEXT NOT NULL UNIQUE REFERENCES prompt (trace_id),
    decision INTEGER NOT NULL REFERENCES decision (seq),
    row_id TEXT
) STRICT;

CREATE INDEX accepted_row ON accepted (row_id);

CREATE TABLE output (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    base_bytes INTEGER NOT NULL,             -- what stood in the file before our first row
    base_hash TEXT NOT NULL,
    generation INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,               -- of accepted: the rows up to here stand in the file
    bytes INTEGER NOT NULL,
    hash TEXT NOT NULL,
    stamp TEXT NOT NULL,                     -- device, inode and time of change after our last write
    stale_from INTEGER,                      -- the first row in the file that is accepted no more
    pending_kind TEXT CHECK (pending_kind IN ('append', 'rewrite')),
    pending_last_seq INTEGER,
    pending_stale_from INTEGER,              -- what a rewrite is about to mend
    pending_bytes INTEGER,
    pending_hash TEXT,
    pending_tail BLOB                        -- the bytes being appended, to know a torn append by its content
) STRICT;

CREATE TABLE output_mark (
    path TEXT NOT NULL REFERENCES output (path),
    seq INTEGER NOT NULL,
    size INTEGER NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (path, seq)
) STRICT, WITHOUT ROWID;

-- What a process that does not hold the server asks of the one that does.
CREATE TABLE request (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    asked_at REAL NOT NULL,
    answer TEXT
) STRICT;

CREATE INDEX request_open ON request (id) WHERE answer IS NULL;
