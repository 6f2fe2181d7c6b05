"""Single tables out of a backup: chosen, restored into a scratch database, compared, merged back."""
