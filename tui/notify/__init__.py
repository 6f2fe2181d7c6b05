"""Who is told: ntfy topics and webhooks."""
