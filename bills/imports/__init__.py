"""Bills and claims of other systems, from FHIR and CSV: taken once, corrected by transfers. See docs/imports.md."""
