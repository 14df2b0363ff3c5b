"""The inside of the store: its tables, its statements, its transactions. Only `store.py` uses them."""
