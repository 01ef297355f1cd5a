"""Chat models: one protocol, one adapter a server, strict decoding of what comes back."""
