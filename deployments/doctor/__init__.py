"""`penstock doctor`: whether everything that a platform names can be used, asked side by side."""
