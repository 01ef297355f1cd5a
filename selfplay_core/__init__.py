"""The engine of selfplay-tui: a model writes prompts, answers them, and a server judges the answers."""
