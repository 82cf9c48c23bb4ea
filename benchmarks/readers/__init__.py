"""One reader over one folder, each in a process of its own: `python -m benchmarks.readers.NAME FOLDER ...`."""
