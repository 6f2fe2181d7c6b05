"""What is asked of a database after a restore, each with what was expected and what was found."""
