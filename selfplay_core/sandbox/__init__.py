"""The embedded default: a scripted model and a small world on loopback, for trying, testing and demos."""
