"""The configuration: TOML into frozen values, every problem at once, secrets by reference only."""
