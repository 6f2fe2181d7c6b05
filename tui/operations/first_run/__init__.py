"""What a machine without a configuration has: servers and stores nearby, and a fleet made of them."""
