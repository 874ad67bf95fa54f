"""Real servers on loopback for tests: DNS (dns.py) and SMTP (smtp.py). Both also start as programs."""
