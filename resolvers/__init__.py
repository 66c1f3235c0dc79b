"""How an operation gets its data."""
