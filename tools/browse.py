"""Open every page of the built site in headless Chromium, wide and narrow, light and dark, and tell what is wrong.

    python tools/browse.py                            errors in the console, pages that scroll sideways, the search
    python tools/browse.py --axe axe.min.js           the accessibility of some pages, too; the file is in npm's package axe-core
    python tools/browse.py --only index --shots FOLDER      one page, with pictures

Needs Chromium and the site that tools/docs.py builds. Nothing is fetched: the pages are opened as files.
"""
import argparse
import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

from project import ROOT

try: from tornado.websocket import WebSocketClientConnection, websocket_connect
except ImportError: sys.exit("browse.py needs the tools of this project: pip install -e '.[dev]'")

SITE = ROOT/'_docs'
WIDTHS, THEMES = (1280, 390), ('light', 'dark')
WITH_AXE = ('index', 'guide/report', 'tutorials/couples', 'sample_report')
SIDEWAYS = 'document.documentElement.scrollWidth > innerWidth + 1'
AXE = '''axe.run({resultTypes: ['violations'], preload: false}).then(found => JSON.stringify(found.violations.filter(v => ['serious', 'critical'].includes(v.impact))
         .map(v => `${v.id}: ${v.help}; ${v.nodes.length} times, first ${v.nodes[0].target}`)))'''


class Browser:
    "A page of Chromium, driven by its DevTools protocol"
    def __init__(self, folder: Path):
        found = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
        if found is None: sys.exit('browse.py needs Chromium: install it, and put it on the PATH')
        options = ['--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-port=0', f'--user-data-dir={folder}']
        self.process = subprocess.Popen([found, *options, 'about:blank'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port, self.numbers, self.events = folder/'DevToolsActivePort', itertools.count(1), []

    async def connect(self) -> None:
        "Open a page and listen to it"
        while not self.port.exists() or not self.port.read_text().strip(): time.sleep(.1)
        request = Request(f'http://127.0.0.1:{self.port.read_text().splitlines()[0]}/json/new', method='PUT')
        address = json.load(urlopen(request))['webSocketDebuggerUrl']
        self.socket: WebSocketClientConnection = await websocket_connect(address, max_message_size=2**28)
        for domain in ('Page', 'Runtime', 'Log'): await self.call(f'{domain}.enable')

    async def read(self) -> dict:
        "The next message; events are kept"
        message = json.loads(await asyncio.wait_for(self.socket.read_message(), 60))
        if 'method' in message: self.events.append(message)
        return message

    async def call(self, method: str, **params) -> dict:
        "What a method of the protocol returns"
        number = next(self.numbers)
        await self.socket.write_message(json.dumps(dict(id=number, method=method, params=params)))
        while (message := await self.read()).get('id') != number: pass
        return message.get('result', {})

    async def evaluate(self, script: str):
        "The value of a piece of JavaScript"
        return (await self.call('Runtime.evaluate', expression=script, awaitPromise=True, returnByValue=True))['result'].get('value')

    async def open(self, url: str, width: int, theme: str) -> None:
        "Load a page"
        await self.call('Emulation.setDeviceMetricsOverride', width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        await self.call('Emulation.setEmulatedMedia', features=[dict(name='prefers-color-scheme', value=theme)])
        self.events.clear()
        await self.call('Page.navigate', url=url)
        while not any(event['method'] == 'Page.loadEventFired' for event in self.events): await self.read()

    def errors(self) -> Iterator[str]:
        "What the console has told since the page was opened"
        for event in self.events:
            params = event['params']
            if event['method'] == 'Runtime.exceptionThrown': yield params['exceptionDetails']['text']
            elif event['method'] == 'Log.entryAdded' and params['entry']['level'] == 'error': yield params['entry']['text']
            elif event['method'] == 'Runtime.consoleAPICalled' and params['type'] == 'error': yield str(params['args'])


async def look(browser: Browser, name: str, width: int, theme: str, axe: str, shots: Path | None) -> list[str]:
    "What is wrong with one page"
    await browser.open((SITE/f'{name}.html').as_uri(), width, theme)
    wrong = ['it scrolls sideways'] if await browser.evaluate(SIDEWAYS) else []
    if axe and name in WITH_AXE:
        await browser.evaluate(axe)
        wrong += json.loads(await browser.evaluate(AXE))
    if shots:
        picture = (await browser.call('Page.captureScreenshot', format='png', captureBeyondViewport=False))['data']
        (shots/f'{name.replace("/", "-")}-{width}-{theme}.png').write_bytes(base64.b64decode(picture))
    return [f'{name}, {width} px, {theme}: {what}' for what in [*browser.errors(), *wrong]]


async def search(browser: Browser, words: str) -> list[str]:
    "The titles that the search of the site finds"
    await browser.open(f'{(SITE/"search.html").as_uri()}?q={words}', 1280, 'light')
    for _ in range(50):
        if await browser.evaluate('/found|did not match/.test(document.querySelector(".search-summary")?.textContent ?? "")'): break
        await asyncio.sleep(.2)
    return json.loads(await browser.evaluate('JSON.stringify([...document.querySelectorAll("ul.search > li > a")].map(a => a.textContent))'))


async def main() -> int:
    "Look at the pages, and print what is wrong"
    parser = argparse.ArgumentParser(description='Look at the built site in headless Chromium.')
    parser.add_argument('--only', nargs='+', help='pages, such as index or tutorials/couples')
    parser.add_argument('--axe', type=Path, help='axe.min.js')
    parser.add_argument('--shots', type=Path, help='folder for pictures of the pages')
    args = parser.parse_args()
    names = args.only or sorted(path.relative_to(SITE).as_posix().removesuffix('.html') for path in SITE.rglob('*.html') if '_static' not in path.parts)
    if args.shots: args.shots.mkdir(parents=True, exist_ok=True)
    axe, wrong = args.axe.read_text(encoding='utf-8') if args.axe else '', []
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(Path(folder))
        try:
            await browser.connect()
            for name, width, theme in itertools.product(names, WIDTHS, THEMES): wrong += await look(browser, name, width, theme, axe, args.shots)
            if not args.only: print('the search for colab finds:', ', '.join(await search(browser, 'colab')) or 'nothing')
        finally: browser.process.terminate()
    for line in wrong: print(line)
    print(f'{len(names)} pages, {len(wrong)} to mend')
    return bool(wrong)


if __name__ == '__main__': sys.exit(asyncio.run(main()))
