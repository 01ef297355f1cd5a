"""What is alike: the same text written otherwise, nearly the same text, and the same command with other arguments."""
