"""Puts the transcript of the last run into docs/istio-transcript.md.

Usage: PYTHONPATH=tools python3 tools/istio/document.py
"""

from project import ROOT, TRANSCRIPT

DOCUMENT = ROOT / "docs" / "istio-transcript.md"
BEGIN = "<!-- transcript: written by tools/istio/document.py -->\n"
END = "<!-- end of the transcript -->\n"


def main():
    """Replace what stands between the two marks."""
    before, rest = DOCUMENT.read_text().split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(f"{before}{BEGIN}```text\n{TRANSCRIPT.read_text().strip()}\n```\n{END}{after}")


if __name__ == "__main__":
    main()
