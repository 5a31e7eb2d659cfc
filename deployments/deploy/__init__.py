"""`penstock deploy`: makes a Prefect server have the deployments that the project's files describe.

desired    what the files say, with every entrypoint, parameter and job variable checked
server     what the server has
planning   the difference, as changes; no I/O
applying   sends the changes, several at once
alerts     the same for automations
limits     the same for global concurrency limits
display    plans and outcomes for people and programs

What is desired comes from `deployments.compile`, which prefect.yaml comes from too.
"""
