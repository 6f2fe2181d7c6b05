"""How the app looks, and which keys it has, on every screen at once."""
