"""The run behind the review screen."""
