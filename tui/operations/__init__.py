"""What the tool does. Each operation takes what it needs and reports through one callable."""
