"""The six steps of a guided recovery, each with what it does to the incident."""
