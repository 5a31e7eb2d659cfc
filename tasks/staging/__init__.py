"""Object stores, manifests, and copy-then-peek; free of Prefect."""
