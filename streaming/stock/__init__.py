"""Servers written for ChatKit alone, run unchanged with the platform's store, runs and identity."""
