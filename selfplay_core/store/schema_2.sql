-- Version 2 of selfplay.db: what the review screen asks of a million traces at once.

-- Words that many traces share, so that `review` holds a byte for each.
CREATE TABLE word (
    id INTEGER PRIMARY KEY,
    word TEXT NOT NULL UNIQUE
) STRICT;

-- What a person marked to come back to.
CREATE TABLE flag (
    trace_id TEXT PRIMARY KEY REFERENCES prompt (trace_id),
    at REAL NOT NULL,
    by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A few bytes a trace: every filter but full text is one scan of it in the order of n, and no page of payloads is read.
CREATE TABLE review (
    n INTEGER PRIMARY KEY,
    mark INTEGER NOT NULL,                   -- 0 undecided, 1 accept, 2 reject, 3 edit, 4 skip, 5 errored and undecided
    category INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    level INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    verdict INTEGER,                         -- the worst of the last attempt: 0 passed, 1 unclear, 2 failed, 3 rejected
    flagged INTEGER NOT NULL CHECK (flagged IN (0, 1))
) STRICT;

CREATE VIEW review_of AS SELECT
    t.n,
    CASE t.decision
        WHEN 'accept' THEN 1 WHEN 'reject' THEN 2 WHEN 'edit' THEN 3 WHEN 'skip' THEN 4
        ELSE iif(t.outcome = 'errored', 5, 0)
    END AS mark,
    (SELECT id FROM word WHERE word = t.category) AS category,
    (SELECT id FROM word WHERE word = t.outcome) AS outcome,
    (SELECT id FROM word WHERE word = t.level) AS level,
    t.attempts,
    (
        SELECT max(
            CASE json_extract(r.value, '$.verdict.outcome')
                WHEN 'passed' THEN 0 WHEN 'unclear' THEN 1 WHEN 'failed' THEN 2 ELSE 3
            END
        )
        FROM json_each(iif(json_valid(t.payload), t.payload, NULL), '$.attempts[#-1].results') r
    ) AS verdict,
    EXISTS (SELECT 1 FROM flag f WHERE f.trace_id = t.id) AS flagged
FROM trace t;

CREATE TRIGGER review_insert AFTER INSERT ON trace BEGIN
    INSERT INTO word (word) VALUES (new.category), (new.outcome), (new.level) ON CONFLICT DO NOTHING;
    INSERT INTO review SELECT n, mark, category, outcome, level, attempts, verdict, flagged
    FROM review_of WHERE n = new.n;
END;

CREATE TRIGGER review_delete AFTER DELETE ON trace BEGIN
    DELETE FROM review WHERE n = old.n;
END;

CREATE TRIGGER review_decision AFTER UPDATE OF decision ON trace BEGIN
    UPDATE review SET mark = (SELECT mark FROM review_of WHERE n = new.n) WHERE n = new.n;
END;

CREATE TRIGGER review_content AFTER UPDATE OF category, outcome, level, attempts, payload ON trace BEGIN
    INSERT INTO word (word) VALUES (new.category), (new.outcome), (new.level) ON CONFLICT DO NOTHING;
    DELETE FROM review WHERE n = new.n;
    INSERT INTO review SELECT n, mark, category, outcome, level, attempts, verdict, flagged
    FROM review_of WHERE n = new.n;
END;

CREATE TRIGGER review_flag AFTER INSERT ON flag BEGIN
    UPDATE review SET flagged = 1 WHERE n = (SELECT n FROM trace WHERE id = new.trace_id);
END;

CREATE TRIGGER review_unflag AFTER DELETE ON flag BEGIN
    UPDATE review SET flagged = 0 WHERE n = (SELECT n FROM trace WHERE id = old.trace_id);
END;

INSERT INTO word (word) SELECT category FROM trace GROUP BY category ON CONFLICT DO NOTHING;
INSERT INTO word (word) SELECT outcome FROM trace GROUP BY outcome ON CONFLICT DO NOTHING;
INSERT INTO word (word) SELECT DISTINCT level FROM trace WHERE true ON CONFLICT DO NOTHING;
INSERT INTO review SELECT n, mark, category, outcome, level, attempts, verdict, flagged FROM review_of ORDER BY n;

-- An amended trace changes its outcome, too.
DROP TRIGGER tally_decision;
CREATE TRIGGER tally_update AFTER UPDATE OF run, category, outcome, decision ON trace BEGIN
    UPDATE tally SET count = count - 1
    WHERE run = old.run AND category = old.category AND outcome = old.outcome AND decision = old.decision;
    INSERT INTO tally VALUES (new.run, new.category, new.outcome, new.decision, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE INDEX trace_ended ON trace (ended_at);

-- What happened to a trace besides decisions. Its numbers come from the sequence of `decision`: both are one log.
CREATE TABLE trace_change (
    seq INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL REFERENCES prompt (trace_id),
    n INTEGER NOT NULL,                      -- of a replaced trace the number that is gone
    kind TEXT NOT NULL CHECK (kind IN ('amended', 'replaced')),
    at REAL NOT NULL,
    by TEXT NOT NULL
) STRICT;

CREATE INDEX trace_change_trace ON trace_change (trace_id);

-- Which entry of the log counts for a trace, where one does.
CREATE TABLE standing (
    trace_id TEXT PRIMARY KEY REFERENCES prompt (trace_id),
    decision INTEGER NOT NULL UNIQUE REFERENCES decision (seq),
    by_person INTEGER NOT NULL CHECK (by_person IN (0, 1)),
    reason TEXT                              -- of a rejection alone
) STRICT, WITHOUT ROWID;

CREATE INDEX standing_person ON standing (decision) WHERE by_person = 1;
CREATE INDEX standing_reason ON standing (reason) WHERE reason IS NOT NULL;

-- From the last entry about a trace: a redo restored its target, and an undo what counted before its target.
WITH RECURSIVE step (trace_id, seq) AS (
    SELECT trace_id, max(seq) FROM decision GROUP BY trace_id
    UNION ALL
    SELECT s.trace_id, iif(
        d.kind = 'redo',
        d.target,
        (SELECT max(p.seq) FROM decision p WHERE p.trace_id = s.trace_id AND p.seq < d.target)
    )
    FROM step s JOIN decision d ON d.seq = s.seq WHERE d.target IS NOT NULL
)
INSERT INTO standing
SELECT d.trace_id, d.seq, d.by <> 'auto', CASE
    WHEN d.kind = 'reject' THEN coalesce(json_extract(iif(json_valid(d.payload), d.payload, NULL), '$.reason'), '')
END
FROM step s JOIN decision d ON d.seq = s.seq WHERE d.target IS NULL;

ALTER TABLE decision ADD COLUMN batch TEXT
    GENERATED ALWAYS AS (json_extract(iif(json_valid(payload), payload, NULL), '$.batch')) VIRTUAL;

CREATE INDEX decision_batch ON decision (batch) WHERE batch <> '';
CREATE INDEX decision_step ON decision (seq) WHERE target IS NOT NULL;
CREATE INDEX decision_person ON decision (seq) WHERE target IS NULL AND by <> 'auto';
CREATE INDEX decision_made ON decision (at, kind, by, target) WHERE target IS NULL AND by <> 'auto';

-- Beginnings of commands that a person denied for the rest of a run.
CREATE TABLE denial (
    run INTEGER NOT NULL REFERENCES run (seq),
    beginning TEXT NOT NULL,
    at REAL NOT NULL,
    by TEXT NOT NULL,
    PRIMARY KEY (run, beginning)
) STRICT, WITHOUT ROWID;

CREATE INDEX held_since ON held (since, trace_id, allowed);
