"""What whosends costs: `make bench`."""
