"""A shop's database: what it holds at a time follows from a seed, and is written into MariaDB or PostgreSQL."""
