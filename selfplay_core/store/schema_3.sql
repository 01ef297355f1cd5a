-- Version 3 of selfplay.db: what is nearly a copy of what, and traces that came from files.

-- A row for each trace that has been compared with those before it in its category.
CREATE TABLE likeness (
    n INTEGER PRIMARY KEY,
    near INTEGER,                            -- the number of the one most like it, NULL where none is
    ratio REAL,
    CHECK ((near IS NULL) = (ratio IS NULL))
) STRICT;

CREATE INDEX likeness_near ON likeness (n) WHERE near IS NOT NULL;

CREATE TRIGGER likeness_delete AFTER DELETE ON trace BEGIN
    DELETE FROM likeness WHERE n = old.n;
END;

-- A run whose traces were read from a file: nothing of it is ever taken up again. Its `origin` is the id that it has
-- where it was made; its own id is another where a run of that name was made here, too.
ALTER TABLE run ADD COLUMN imported INTEGER NOT NULL DEFAULT 0 CHECK (imported IN (0, 1));
ALTER TABLE run ADD COLUMN origin TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX run_origin ON run (origin) WHERE imported = 1;

-- A decision that came from a file: what a person undoes is what was decided here.
ALTER TABLE decision ADD COLUMN imported INTEGER NOT NULL DEFAULT 0 CHECK (imported IN (0, 1));
DROP INDEX decision_person;
CREATE INDEX decision_person ON decision (seq) WHERE target IS NULL AND by <> 'auto' AND imported = 0;

-- By which rows a trace was ever accepted: an output file that is read again may hold one that was undone since.
CREATE INDEX decision_row ON decision (row_id) WHERE row_id IS NOT NULL;

-- What the next round of a run is chosen by: the state after its rounds up to `folded`; what later rounds asked stands with them.
CREATE TABLE curriculum (
    run INTEGER PRIMARY KEY REFERENCES run (seq),
    folded INTEGER NOT NULL,                 -- -1 before the first
    state TEXT NOT NULL
) STRICT;

ALTER TABLE round ADD COLUMN asked TEXT NOT NULL DEFAULT '{"cells":{},"written":0,"copies":0}';

-- One row: there is at most one run at a time. `said` is the engine's own JSON.
CREATE TABLE bulletin (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    run INTEGER NOT NULL REFERENCES run (seq),
    said TEXT NOT NULL
) STRICT;
