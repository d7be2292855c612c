"""Open every page of the built site in headless Chromium, wide and narrow, light and dark, and tell what is wrong.

    python tools/browse.py                            errors in the console, pages that scroll sideways or ask the internet, the search
    python tools/browse.py --axe axe.min.js           the accessibility of some pages, too; the file is in npm's package axe-core
    python tools/browse.py --only index --shots FOLDER      one page, with pictures

Needs Chromium and the site that tools/docs.py builds. Nothing is fetched: the pages are opened as files.
"""
import argparse
import itertools
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from project import ROOT

try: from chromium import Chromium, Tab
except ImportError: sys.exit("browse.py needs the tools of this project: pip install -e '.[dev]'")

SITE = ROOT/'_docs'
WIDTHS, THEMES = (390, 1280), ('light', 'dark')
TABS = 4  # pages that are looked at side by side
WITH_AXE = ('index', 'guide/start', 'guide/report', 'guide/answers', 'tutorials/couples', 'inference', 'search', 'sample_report')
SEARCHES = {'colab': 'Start', 'calibration': 'Glossary', 'group': 'Few photos, groups, folds'}  # words -> a page that is to be among the first
FIRST = 5
AT_ONCE = 'document.head.append(Object.assign(document.createElement("style"), {textContent: "* { transition: none !important }"}))'  # colours change
SIDEWAYS = 'document.documentElement.scrollWidth > innerWidth + 1'
AXE = '''axe.run({resultTypes: ['violations'], preload: false}).then(found => JSON.stringify(found.violations.filter(v => ['serious', 'critical'].includes(v.impact))
         .map(v => `${v.id}: ${v.help}; ${v.nodes.length} times, first ${v.nodes[0].target}`)))'''


def faults(tab: Tab, name: str, axe: str, shots: Path | None) -> Iterator[str]:
    "What is wrong with one page; it is loaded as on a phone, then made wide, light and dark"
    axe = axe if name in WITH_AXE else ''
    tab.look(WIDTHS[0], THEMES[0])
    tab.open((SITE/f'{name}.html').as_uri())
    tab.run(AT_ONCE)
    if axe: tab.run(axe)
    for width, theme in itertools.product(WIDTHS, THEMES):
        tab.look(width, theme)
        where = f'{name}, {width} px, {theme}'
        if tab.run(SIDEWAYS): yield f'{where}: it scrolls sideways'
        if axe: yield from (f'{where}: {what}' for what in json.loads(tab.run(AXE)))
        if shots: (shots/f'{name.replace("/", "-")}-{width}-{theme}.png').write_bytes(tab.picture())
    yield from (f'{name}: {what}' for what in tab.errors())
    yield from (f'{name}: it asks for {url}' for url in tab.asked() if url.startswith('http'))


def search(tab: Tab, words: str) -> list[str]:
    "The titles that the search of the site finds"
    tab.open(f'{(SITE/"search.html").as_uri()}?q={quote(words)}')
    tab.wait('/found|did not match/.test(document.querySelector(".search-summary")?.textContent ?? "")')
    return json.loads(tab.run('JSON.stringify([...document.querySelectorAll("ul.search > li > a")].map(a => a.textContent))'))


def failed_searches(tab: Tab) -> Iterator[str]:
    "Searches that do not find first what they are to find"
    for words, page in SEARCHES.items():
        found = search(tab, words)
        print(f'the search for {words} finds {len(found)}:', ', '.join(found[:FIRST]))
        if not any(title.startswith(page) for title in found[:FIRST]): yield f'search: {page} is not among the first {FIRST} that {words} finds'


def main() -> int:
    "Look at the pages, and print what is wrong"
    parser = argparse.ArgumentParser(description='Look at the built site in headless Chromium.')
    parser.add_argument('--only', nargs='+', help='pages, such as index or tutorials/couples')
    parser.add_argument('--axe', type=Path, help='axe.min.js')
    parser.add_argument('--shots', type=Path, help='folder for pictures of the pages')
    args = parser.parse_args()
    names = args.only or sorted(path.relative_to(SITE).as_posix().removesuffix('.html') for path in SITE.rglob('*.html') if '_static' not in path.parts)
    if args.shots: args.shots.mkdir(parents=True, exist_ok=True)
    axe = args.axe.read_text(encoding='utf-8') if args.axe else ''
    with Chromium() as browser, ThreadPoolExecutor(TABS) as pool:
        def walk(mine: list[str]) -> list[str]:
            tab = Tab(browser)
            return [wrong for name in mine for wrong in faults(tab, name, axe, args.shots)]
        wrong = [line for found in pool.map(walk, (names[i::TABS] for i in range(min(TABS, len(names))))) for line in found]
        if not args.only: wrong += failed_searches(Tab(browser))
    for line in wrong: print(line)
    print(f'{len(names)} pages, {len(wrong)} to mend')
    return bool(wrong)


if __name__ == '__main__': sys.exit(main())
