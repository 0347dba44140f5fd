"""The objects as Stripe shows them, each field there, null where nothing is known (docs.stripe.com/api)."""
