"""What all tests of consumers need: no network, and no cache that outlives them."""

from __future__ import annotations

import atexit
import importlib.machinery
import os
import sys
import tempfile
import types
from typing import Final

_CACHE: Final = tempfile.TemporaryDirectory(prefix="selfplay-consumers-")
atexit.register(_CACHE.cleanup)

# Read when the packages are imported, hence no fixture.
os.environ.update(
    HF_HOME=_CACHE.name,
    HF_HUB_OFFLINE="1",
    HF_DATASETS_DISABLE_PROGRESS_BARS="1",
    TRANSFORMERS_VERBOSITY="error",
    TOKENIZERS_PARALLELISM="false",
    DISABLE_VERSION_CHECK="1",  # LLaMA-Factory 0.9.5 names older packages than TRL needs
    CUDA_VISIBLE_DEVICES="",
)


def _stand_in(name: str) -> None:
    """Let a package be imported that is only used for sound."""
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, loader=None)
    sys.modules[name] = module


_stand_in("torchaudio")
