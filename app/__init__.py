"""The surfaces: command line, web app, exports."""
