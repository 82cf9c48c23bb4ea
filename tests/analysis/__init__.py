"""The answers, tested as stories about invented mail."""
