"""Who is told: ntfy topics, webhooks, Slack, e-mail, GoAlert."""
