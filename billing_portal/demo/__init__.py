"""`make demo`: the whole portal on one machine, with invented people and a stand-in for Stripe."""
