"""Figures that anyone can reproduce; nothing here asserts a time."""
