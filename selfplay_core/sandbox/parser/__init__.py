"""Whether the server would take a command, read as the game reads it, and its complaint if not."""
