"""SQLite: traces, decisions and the accepted order; the output file is their projection."""
