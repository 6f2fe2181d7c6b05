"""What is known of errors: what each means and what to do."""
