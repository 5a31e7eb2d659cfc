"""Gladly, a customer service platform: reports, export jobs, events and lists over one simulated contact centre."""
