"""Where reports are kept: DuckDB tables, written once, read by question."""
