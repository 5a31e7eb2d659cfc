"""What a pipeline does: verbs are thin Prefect tasks, nouns are folders free of Prefect."""
