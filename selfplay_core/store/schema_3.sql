-- Version 3 of selfplay.db: what the run that goes on says of itself to other processes.

-- One row: there is at most one run at a time. `said` is the engine's own JSON.
CREATE TABLE bulletin (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    run INTEGER NOT NULL REFERENCES run (seq),
    said TEXT NOT NULL
) STRICT;
