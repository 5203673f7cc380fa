"""`python -m escudo.cli`, the same as the console script."""

from escudo.cli import main

main()
