"""`python -m pipelines.cli` is `iqs`."""

from pipelines.cli import main

main()
