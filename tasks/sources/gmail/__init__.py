"""Gmail: what messages say in their headers, and the files attached to them."""
