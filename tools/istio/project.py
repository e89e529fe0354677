"""Where things lie."""

from packages import ROOT

TOOL = ROOT / "tools" / "istio"
MODULES = TOOL / "modules"
MANIFESTS = TOOL / "manifests"
EXAMPLES = ROOT / "examples" / "istio"

# Kept between runs: what was built. Made anew by each run: RUN.
TARGET = ROOT / "target" / "istio"
BIN = TARGET / "bin"
RUN = TARGET / "run"
LOGS = RUN / "logs"
TRANSCRIPT = TARGET / "transcript.txt"
