"""Bytes in; the text encoding that they are in, a text that was wrongly decoded, and cures out."""
