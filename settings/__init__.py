"""Validators for the values of settings, and secrets from files."""
