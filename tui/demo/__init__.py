"""A disposable fleet of real parts: PostgreSQL servers, stores, backups, and the disasters to practise on."""
