"""Autopay: what a member lets us charge by itself, how it is agreed to and changed, announced, run and watched."""
