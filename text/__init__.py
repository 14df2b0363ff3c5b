"""Text as it arrives in pieces: growing texts, and halves of characters."""
