"""Widgets that draw lines; they hold no truth."""
