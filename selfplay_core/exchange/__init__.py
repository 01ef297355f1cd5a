"""Data in and out: exports of every format, imports, and the figures of a workspace."""
