"""Plans, reports, problems and status in; text, JSON and Markdown out. Nothing here prints."""
