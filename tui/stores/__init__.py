"""Where backups lie: directories and S3 buckets behind one protocol."""
