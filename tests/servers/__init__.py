"""Servers that the tests speak to over real sockets."""
