"""A trace and its decision become rows: one file a format."""
