"""Source kinds: what a pipeline file may say for each. `registry` names them all."""
