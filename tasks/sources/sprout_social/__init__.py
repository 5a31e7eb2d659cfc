"""Sprout Social: a customer's lists, the days of its profiles, its posts, its messages and its cases."""
