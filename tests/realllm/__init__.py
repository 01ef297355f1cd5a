"""A whole round on a real model server, in an environment of its own: `make test-realllm`."""
