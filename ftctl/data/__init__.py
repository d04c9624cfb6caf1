"""Data files in; checked, counted and compared rows out."""
