"""The workspace as the screens use it."""
