"""The metric sets of `POST /reports`: what is asked, which rows answer it, and how they are written."""
