"""A stand-in for Stripe's HTTP API: its own process, for the demo, the tests and the benchmarks.

Nothing here imports the portal and the portal imports nothing from here; they meet over HTTP only.
"""

API_VERSION = "2026-10-28.endive"
