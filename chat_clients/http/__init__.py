"""The way to a model provider: connections, their pool, server-sent events, backpressure."""
