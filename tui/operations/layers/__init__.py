"""What lies around an archive as a whole: encryption and compression, put on and taken off in a stream."""
