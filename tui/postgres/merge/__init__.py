"""How restored tables differ from live ones, and putting back the rows that the live ones miss."""
