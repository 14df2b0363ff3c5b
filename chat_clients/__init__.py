"""Chat clients: one per model provider, and the built-in offline one."""
