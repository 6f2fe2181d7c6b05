"""One screen a file. A screen is given what it needs, asks, shows, and starts work."""
