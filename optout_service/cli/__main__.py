"""``python -m optout_service.cli``, where the console script is not installed."""

from optout_service.cli import main

main()
