"""One module a client, with that client's flow and nothing else: an entrypoint file is loaded twice."""
