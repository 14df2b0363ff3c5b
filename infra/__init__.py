"""Deployment and the workshop of a clone."""
