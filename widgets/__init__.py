"""Widgets as documents: what a use case writes is what is sent, stored and read again."""
