"""What stands on the screen, as lines of spans: pure functions, no terminal."""
