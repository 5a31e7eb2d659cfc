"""incident.io: incidents by window, and the lists that describe them."""
