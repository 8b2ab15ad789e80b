"""Reads the contract that a lab's hidden folder states (asking/contract.py says how)."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Optional

from ..asking.contract import Contract


def load(folder: Path) -> Optional[Contract]:
    """The `contract` of folder/contract.py, which may import what lies beside it; None where there is no such file.
    Raises whatever that file raises."""
    if not (folder / "contract.py").is_file():
        return None
    name = "looplab_contract_of" + re.sub(r"\W", "_", str(folder.resolve()))
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    contract: Contract = importlib.import_module(f"{name}.contract").contract
    return contract
