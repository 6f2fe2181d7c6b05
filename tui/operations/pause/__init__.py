"""What uses a database is paused and its writes are frozen; what was before is written down, and put back."""
