"""`python -m encore` is the `encore` command."""

from encore.cli import main

main()
