"""One report format each: bytes in, frozen data out; no network, clock or database."""
