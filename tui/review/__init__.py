"""What the keys of the review screen do, one matter a file."""
