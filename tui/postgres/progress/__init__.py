"""How far a job is and when it will be over: a fold over its events."""
