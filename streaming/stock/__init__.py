"""Servers written for ChatKit alone: taken as they are, with the platform's store, runs and identity."""
