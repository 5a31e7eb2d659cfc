"""Blocks as code: a YAML file of blocks, brought into Prefect as it says, without a secret in it or in what is shown.

`written` is a file as far as it says what blocks there are, `values` the walk over their settings, `reading` both;
`building` makes Prefect's objects of them, `comparing` finds what differs from what Prefect has, `applying` saves it.
"""
