"""Parts that screens are made of. They show values and hold no connection."""
