"""One answer in the making: its request, its state, its events, its texts."""
