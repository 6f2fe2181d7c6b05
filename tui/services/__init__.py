"""What uses a database: is it healthy?"""
