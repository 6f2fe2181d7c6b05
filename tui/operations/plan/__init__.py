"""What a restore will do and how long it will take, before anything happens."""
