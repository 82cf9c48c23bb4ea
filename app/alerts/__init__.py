"""Telling of findings where people are: by webhook, mail and chat."""
