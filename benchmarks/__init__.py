"""Penstock beside the bare mechanisms: `make bench`. Each module prints its floor and ours from one run."""
