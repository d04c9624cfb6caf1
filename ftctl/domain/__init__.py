"""The nouns: what is asked for, what exists, what is to be done about it, and what was done."""
