"""The making of the container image: what is left out, and what is said of the rest. It runs in the build."""
