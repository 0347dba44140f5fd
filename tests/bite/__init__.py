"""Planted bugs: each guard of the portal removed in turn, and the tests that must notice. `make bite`."""
