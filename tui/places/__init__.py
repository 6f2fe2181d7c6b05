"""Where servers run, and the endpoint each place opens."""
