"""Payment plans: medical bills paid by instalments, free of interest and fees, by a signed agreement."""
