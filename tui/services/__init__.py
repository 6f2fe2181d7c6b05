"""What uses a database: paused before a recovery and resumed after, and is it healthy?"""
