"""A plan in; the service changed, a `Report` out."""
