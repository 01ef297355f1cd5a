"""What the command does, one subcommand a file."""
