"""Whether a restored database is what it should be; verifications and drills, and when they are due."""
