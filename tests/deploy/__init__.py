"""What lies in ``deploy/``, read by the tools it is written for; and nginx before the service."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
