"""pgdr: back up and recover PostgreSQL databases, calmly."""

__version__ = "0.1.0"
