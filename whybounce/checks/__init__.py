"""Live checks: look at DNS and mail servers, and answer the questions a machine can answer. See registry.py and runner.py."""
