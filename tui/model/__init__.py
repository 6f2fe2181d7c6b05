"""Frozen values that every room shares. Nothing here reads, writes or connects."""
