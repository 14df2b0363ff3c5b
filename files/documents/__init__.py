"""Readers of untrusted documents, a module per format. Only the program in `files.text_extraction` imports them."""
