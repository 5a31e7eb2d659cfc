"""A REST API in every common style: paging, authentication, time filters, envelopes, limits."""
