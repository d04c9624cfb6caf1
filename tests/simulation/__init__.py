"""Proof by simulation: break every request of an apply in every way, then run it again."""
