"""What a database is made of, as its own catalog tells it."""
