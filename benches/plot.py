"""Draws lines as an SVG picture, for light and dark pages alike."""

import itertools
import math

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 180, 40, 56
COLOURS = ["#2f81f7", "#db6d28", "#3fb950", "#a371f7", "#d29922", "#f85149"]


def draw(title, lines, *, across, up):
    """`lines` are points by name; the horizontal axis is logarithmic. Points are (number, value)."""
    points = [point for line in lines.values() for point in line]
    numbers = sorted({number for number, _ in points})
    first, last = math.log10(numbers[0]), math.log10(numbers[-1])
    step = _step(max(value for _, value in points) / 6)
    top = step * math.ceil(max(value for _, value in points) * 1.05 / step)

    def x(number):
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(number) - first) / ((last - first) or 1)

    def y(value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * max(value, 0) / top

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">',
        "<style>text{font:13px system-ui,sans-serif;fill:#7d8590}line{stroke:#7d8590;stroke-opacity:.35}"
        "path{fill:none;stroke-width:2}</style>",
        f'<text x="{LEFT}" y="20" font-weight="600">{title}</text>',
    ]
    value = 0
    while value <= top + step / 2:
        out.append(f'<line x1="{LEFT}" y1="{y(value):.1f}" x2="{WIDTH - RIGHT}" y2="{y(value):.1f}"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
        value += step
    for number in numbers:
        out.append(f'<text x="{x(number):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{number:,}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    out.append(f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">{across}</text>')
    out.append(
        f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">{up}</text>'
    )
    coloured = [
        (name, line, colour) for (name, line), colour in zip(lines.items(), itertools.cycle(COLOURS), strict=False)
    ]
    for _, line, colour in coloured:
        path = " ".join(
            f"{'L' if place else 'M'}{x(number):.1f} {y(value):.1f}" for place, (number, value) in enumerate(line)
        )
        out.append(f'<path d="{path}" stroke="{colour}"/>')
        out += [f'<circle cx="{x(number):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>' for number, value in line]
    for height, name, colour in _apart([(y(line[-1][1]), name, colour) for name, line, colour in coloured]):
        out.append(f'<text x="{WIDTH - RIGHT + 10}" y="{height + 4:.1f}" style="fill:{colour}">{name}</text>')
    return "\n".join([*out, "</svg>", ""])


def _step(rough):
    """A round number at or above: 1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def _apart(labels, space=16):
    """Labels moved so that none covers another."""
    placed = []
    for height, name, colour in sorted(labels):
        placed.append((max(height, placed[-1][0] + space) if placed else height, name, colour))
    return placed
