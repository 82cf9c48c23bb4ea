"""One standard each, asked of DNS and servers: facts, no verdict."""
