"""The scripted model: what it asks, answers, gets wrong and mends."""
