"""The demo's invented people and what they owe. Only ever put into a demo's or a test's database."""
