"""What the game knows by name: ids, states, tags and schemas, made from published data or imported from a server."""
