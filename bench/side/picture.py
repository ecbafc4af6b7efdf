"""The figures as an SVG: a bar for each proxy, user time and system time. It follows the reader's light or dark
scheme, stands on its own in a page, and can be read on a telephone: names stand above the bars, not beside them."""

from xml.sax.saxutils import escape

from .figures import LABELS, by_row
from .table import LEAVES_OUT

WIDTH, MARGIN, BAR, STEP = 480, 16, 16, 50
# What a number behind the longest bar needs.
FOR_NUMBER = 132
STYLE = """
text { font: 15px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.title { font-size: 18px; font-weight: 600; }
.panel { font-weight: 600; }
.soft { font-size: 13px; fill: #59636e; }
.number { font-weight: 600; font-variant-numeric: tabular-nums; }
.ground { fill: #ffffff; stroke: #d1d9e0; }
.user { fill: #8c959f; } .system { fill: #ced5dc; }
.ours .user { fill: #0b6bcb; } .ours .system { fill: #9cc7f3; }
.ours .name { font-weight: 600; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .soft { fill: #9198a1; }
  .ground { fill: #0d1117; stroke: #3d444d; }
  .user { fill: #868e98; } .system { fill: #454c55; }
  .ours .user { fill: #4a9eff; } .ours .system { fill: #1f4f86; }
}
"""


class Drawing:
    """Shapes from the top to the bottom."""

    def __init__(self):
        self.shapes, self.y = [], MARGIN

    def text(self, words, kind, x=MARGIN, down=0, anchor="start"):
        self.y += down
        self.shapes.append(f'<text class="{kind}" x="{x:.1f}" y="{self.y:.1f}" text-anchor="{anchor}">{escape(words)}</text>')

    def rectangle(self, x, y, width, height, kind, radius=0):
        corner = f' rx="{radius}"' if radius else ""
        self.shapes.append(f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(0, width):.1f}" height="{height}"{corner}/>')

    def group(self, kind):
        self.shapes.append(f'<g class="{kind}">')

    def end(self):
        self.shapes.append("</g>")


def draw(results):
    rows = by_row(results)
    main = bars(rows.get("work", {}))
    checked = rows.get("validation", {}).get("fairgate")
    if checked and not checked.error:
        main.append(("fairgate", "Fairgate, 3 parameters checked by OpenAPI", checked))
    main.sort(key=lambda bar: bar[2].total)
    panels = [
        ("Key found, request counted, proxied, answered", main),
        ("Denied: the limit of the key is used up (429)", sorted(bars(rows.get("denied-429", {})), key=lambda bar: bar[2].total)),
    ]
    panels = [(title, all_bars) for title, all_bars in panels if all_bars]
    drawing = Drawing()
    drawing.text("CPU time per request, microseconds", "title", down=14)
    drawing.text("Less is better. Medians, and the range of all rounds.", "soft", down=22)
    legend(drawing)
    longest = max((one.total for _, all_bars in panels for _, _, one in all_bars), default=1)
    for title, all_bars in panels:
        drawing.text(title, "panel", down=36)
        drawing.y += 4
        for name, words, one in all_bars:
            bar(drawing, name, words, one, (WIDTH - 2 * MARGIN - FOR_NUMBER) / longest)
    height = drawing.y + MARGIN
    return document(drawing, height, description(panels))


def bars(row):
    found = []
    for name, one in row.items():
        if not one.error:
            words = LABELS[name] + (f" ({LEAVES_OUT[name]})" if name in LEAVES_OUT else "")
            found.append((name, words, one))
    return found


def legend(drawing):
    drawing.y += 24
    x = MARGIN
    for kinds, words in ((("user",), "user: the proxy's own work"), (("system",), "system: the kernel's")):
        drawing.rectangle(x, drawing.y - 11, 12, 12, kinds[0], 2)
        drawing.text(words, "soft", x + 18)
        x += 224


def bar(drawing, name, words, one, scale):
    drawing.group("ours" if name == "fairgate" else "theirs")
    drawing.text(words, "name", down=STEP - BAR - 8)
    top = drawing.y + 6
    user, system = one.user * scale, one.system * scale
    drawing.rectangle(MARGIN, top, user, BAR, "user")
    drawing.rectangle(MARGIN + user, top, system, BAR, "system")
    drawing.y = top + BAR - 3
    end = MARGIN + user + system + 6
    # The range stands behind the number, in small.
    wide = f'<tspan class="number">{one.total:.1f}</tspan> <tspan class="soft">{one.least:.1f}–{one.most:.1f}</tspan>'
    drawing.shapes.append(f'<text x="{end:.1f}" y="{drawing.y:.1f}">{wide}</text>')
    drawing.y += 5
    drawing.end()


def description(panels):
    told = []
    for title, all_bars in panels:
        told.append(f"{title}: " + ", ".join(f"{words} {one.total:.1f} microseconds" for _, words, one in all_bars))
    return ". ".join(told) + "."


def document(drawing, height, told):
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}"'
            ' role="img" aria-labelledby="title description">',
            '<title id="title">CPU time per request of Fairgate and other proxies</title>',
            f'<desc id="description">{escape(told)}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8"/>',
            *drawing.shapes,
            "</svg>",
            "",
        ]
    )
