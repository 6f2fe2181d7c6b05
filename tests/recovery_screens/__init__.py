"""The guided recovery on screen."""
