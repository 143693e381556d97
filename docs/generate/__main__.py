"""Write the pages and figures that follow from the code.

Usage: python -m docs.generate
"""

from __future__ import annotations

from docs.generate.pages import ROOT, files


def main() -> None:
    """Write every file that differs."""
    for path, text in files().items():
        target = ROOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file() or target.read_text("utf-8") != text:
            target.write_text(text, "utf-8")
            print(path)


if __name__ == "__main__":
    main()
