"""What is true of a server and its databases at a moment. It only reads."""
