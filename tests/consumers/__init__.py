"""What the trainers' own code makes of the golden files; run by `make test-consumers`."""
