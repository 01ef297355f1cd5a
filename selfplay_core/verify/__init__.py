"""Ground truth: what a server said about a command, and which commands may reach one."""
