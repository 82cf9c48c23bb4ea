"""Answers as documents: Markdown, HTML, CSV."""
