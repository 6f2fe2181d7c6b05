"""What backups there are: read from names, heads and manifests, never from a database of our own."""
