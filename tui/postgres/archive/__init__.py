"""What pg_dump wrote, and what pg_restore says of it."""
