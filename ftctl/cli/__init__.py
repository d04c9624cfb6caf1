"""The command line: parses, calls the stages in order, prints, exits."""
