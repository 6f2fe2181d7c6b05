"""Taking a backup: the dump, pumped into every store at once, and what lies beside it."""
