"""One page a file: filters, one analysis call, charts."""
