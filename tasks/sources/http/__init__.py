"""HTTP as every source needs it: credentials, pace, retries and errors in one client."""
