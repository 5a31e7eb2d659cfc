"""What Google's APIs share: tokens, quotas, and what their refusals mean."""
