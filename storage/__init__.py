"""Tables, statements and transactions of the store. Only `store.py` uses them."""
