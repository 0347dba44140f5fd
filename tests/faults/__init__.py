"""The fault plan: the portal's real processes, seeded schedules of what goes wrong, and an oracle of its own.

`make faults ARGS="--seeds 50 --start 1000"`; docs/reliability.md says how it works.
"""
