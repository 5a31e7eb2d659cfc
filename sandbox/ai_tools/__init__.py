"""Emulated usage APIs of seven AI tools over one company, whose engineers use several of them."""
