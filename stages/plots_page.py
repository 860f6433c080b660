"""Write the page that `dvc plots show` fills, with the Vega scripts inside, so that it needs no network:

    python -m stages.plots_page

DVC's own page loads the scripts from another host. This one is in git as `.dvc/page.html`, and `.dvc/config` names it.
Run this program after an upgrade of vl-convert-python, which contains the scripts.
"""

import base64
import gzip
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

PAGE = Path(".dvc/page.html")
LARGEST_PAGE = 500 * 1024
"""Bytes; git stores every version of the page completely."""
VEGA_LITE = "5.8"
"""The version that `.dvc/plots` is written for."""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{refresh_tag}
<title>DVC Plot</title>
<!-- By `python -m stages.plots_page`. Vega, Vega-Lite and Vega-Embed are (c) 2015 University of Washington Interactive
Data Lab and contributors, BSD 3-Clause License; D3 inside of them is (c) 2010 Mike Bostock, ISC License. -->
<script>
const scripts = "SCRIPTS";
const loaded = (async () => {
  const bytes = Uint8Array.from(atob(scripts), one => one.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.text = `(() => {${await new Response(stream).text()}})()`;
  document.head.append(script);
  return window.vega.embed;
})();
function vegaEmbed(place, chart) {  // DVC calls it before the scripts are there
  const column = chart.encoding?.y?.field;
  if (column && !chart.data.values.some(row => row[column] !== "" && row[column] != null)) {
    document.querySelector(place).hidden = true;  // not a single value
    return;
  }
  loaded.then(embed => embed(place, chart));
}
</script>
<style>
body { font-family: system-ui, sans-serif; }
table { border-spacing: 15px; }
img { max-width: 100%; height: auto; }
</style>
</head>
<body>
{plot_divs}
</body>
</html>
"""


def page() -> str:
    """The page, with the placeholders that DVC fills. Charts without a single value are hidden."""
    import vl_convert

    scripts = vl_convert.javascript_bundle("window.vega = {embed: vegaEmbed}", VEGA_LITE)
    packed = base64.b64encode(gzip.compress(scripts.encode(), 9, mtime=0)).decode()
    text = _PAGE.replace("SCRIPTS", packed)
    assert len(text) < LARGEST_PAGE
    return text


if __name__ == "__main__":
    ArgumentParser(
        "python -m stages.plots_page", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    ).parse_args()
    PAGE.write_text(page(), encoding="utf-8")
