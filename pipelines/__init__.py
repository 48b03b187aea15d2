"""The machine: contracts, measures, checks, publishing. `assets/` is the catalogue of the tables it makes."""
