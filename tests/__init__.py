"""The laws of selfplay-tui, as tests."""
