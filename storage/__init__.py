"""What the store is made of: its tables, its statements, its transactions. Only `store.py` uses them."""
