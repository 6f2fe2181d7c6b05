"""Which backups may go, why, and their removal."""
