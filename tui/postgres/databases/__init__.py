"""A server's databases: made, shut, renamed, swapped, dropped."""
