"""Putting a restored database in place, taking that back, and what is kept of it."""
