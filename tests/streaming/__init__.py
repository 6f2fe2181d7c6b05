"""Restores that read as they load, part by part."""
