"""incident.io: several workspaces behind one address, each with habits of its own; the API key decides which."""
