"""Google as its clients see it: tokens, Gmail and Google Sheets."""
