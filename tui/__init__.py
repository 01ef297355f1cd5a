"""The screens and the command line of selfplay-tui."""

__all__ = ["__version__"]

__version__ = "0.1.0"
