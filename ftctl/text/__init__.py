"""Words for people: how things are written, and what is escaped on its way out."""
