"""What belongs to the terminal, the clipboard and the editor."""
