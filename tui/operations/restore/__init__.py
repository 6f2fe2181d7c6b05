"""Restoring: an archive whole, streamed or in plain SQL, single tables, and going on where it was cut off."""
