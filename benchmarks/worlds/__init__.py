"""Invented organisations whose mail is known message by message, and the aggregate reports that tell of it."""
