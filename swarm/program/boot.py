"""The first lines of a program's process: finds this package where only its own folder can be read.

A plain ``import`` would list the folder above it, which the sandbox need not show.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

if __name__ == "__main__":
    package = Path(__file__).parent.parent
    spec = spec_from_file_location(
        "swarm", package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert spec
    assert spec.loader
    module = sys.modules["swarm"] = module_from_spec(spec)
    spec.loader.exec_module(module)

    from swarm.program.child import main

    main(int(sys.argv[1]))
