"""A configuration's frequencies as each scheduler wants them."""
