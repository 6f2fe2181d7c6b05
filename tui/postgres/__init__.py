"""What is known of PostgreSQL: servers and databases, archives, programs, progress, verdicts."""
