"""The emulated Sprout Social API over generated profiles, posts, messages and cases."""
