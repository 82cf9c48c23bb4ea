"""One command a file: read settings, ask one question, print the answer."""
