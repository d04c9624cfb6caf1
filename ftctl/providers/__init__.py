"""Services that train, behind small protocols."""
