"""A folder in; what it asks for, checked and resolved, out."""
