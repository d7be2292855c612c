"""Drive headless Chromium by its DevTools protocol: for tools/browse.py, and for the tests of the page that `deepconn app` serves."""
import base64
import itertools
import json
import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from websockets.sync.client import connect

NAMES = ('chromium', 'chromium-browser', 'google-chrome')
# No other computer is reached, and windows behind others run as fast as the first
OPTIONS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--hide-scrollbars', '--remote-debugging-port=0',
           '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1', '--disable-background-timer-throttling',
           '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding']


def program() -> str | None:
    "Chromium's program, if there is one here"
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    "A headless Chromium; a context, at whose end it is closed"
    def __init__(self, *options: str):
        if (found := program()) is None: raise FileNotFoundError('There is no Chromium here: install it, and put it on the PATH.')
        self.home = TemporaryDirectory(ignore_cleanup_errors=True)
        self.process = subprocess.Popen([found, *OPTIONS, *options, f'--user-data-dir={self.home.name}', 'about:blank'],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.tabs = ExitStack()

    def address(self) -> tuple[str, str]:
        "Where it listens, once it does, and the path of its own socket"
        file, until = Path(self.home.name)/'DevToolsActivePort', time.monotonic() + 60
        while not file.exists() or len(lines := file.read_text().split()) < 2:
            if time.monotonic() > until or self.process.poll() is not None: raise TimeoutError('Chromium did not start.')
            time.sleep(.05)
        return f'ws://127.0.0.1:{lines[0]}', lines[1]

    def tab(self) -> str:
        "Open a page in a window of its own, as pages behind others are not drawn, and return the address of its socket"
        host, path = self.address()
        with connect(host + path) as socket:
            socket.send(json.dumps(dict(id=1, method='Target.createTarget', params=dict(url='about:blank', newWindow=True))))
            return f"{host}/devtools/page/{json.loads(socket.recv(timeout=60))['result']['targetId']}"

    def __enter__(self): return self

    def __exit__(self, *args):
        self.tabs.close()
        self.process.terminate()
        self.process.wait()
        self.home.cleanup()


class Tab:
    "A page in `browser`"
    def __init__(self, browser: Chromium):
        self.socket = browser.tabs.enter_context(connect(browser.tab(), max_size=None))
        self.numbers, self.events = itertools.count(1), []
        for domain in ('Page', 'Runtime', 'Log', 'Network', 'DOM'): self.do(f'{domain}.enable')

    def read(self) -> dict:
        "The next message; events are kept"
        message = json.loads(self.socket.recv(timeout=60))
        if 'method' in message: self.events.append(message)
        return message

    def do(self, method: str, **params) -> dict:
        "What a method of the protocol returns"
        number = next(self.numbers)
        self.socket.send(json.dumps(dict(id=number, method=method, params=params)))
        while (message := self.read()).get('id') != number: pass
        if 'error' in message: raise RuntimeError(f"{method}: {message['error']['message']}")
        return message['result']

    def run(self, script: str):
        "The value of a piece of JavaScript"
        return self.do('Runtime.evaluate', expression=script, awaitPromise=True, returnByValue=True)['result'].get('value')

    def wait(self, script: str) -> None:
        "Wait until a piece of JavaScript gives something that holds"
        until = time.monotonic() + 30
        while not self.run(f'!!({script})'):
            if time.monotonic() > until: raise TimeoutError(f'{script}: {self.run("document.body.innerText")}')
            time.sleep(.1)

    def look(self, width: int, theme: str = 'light', height: int = 900) -> None:
        "Be a phone or a desk, light or dark"
        self.do('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.do('Emulation.setEmulatedMedia', features=[dict(name='prefers-color-scheme', value=theme)])

    def open(self, url: str) -> None:
        "Load a page"
        self.events.clear()
        self.do('Page.navigate', url=url)
        while not any(event['method'] == 'Page.loadEventFired' for event in self.events): self.read()

    def picture(self, whole: bool = False, **options) -> bytes:
        "What is seen, or the whole page, as an image file"
        return base64.b64decode(self.do('Page.captureScreenshot', captureBeyondViewport=whole, **options)['data'])

    def asked(self) -> list[str]:
        "The addresses that the page asked for since it was opened"
        return [event['params']['request']['url'] for event in self.events if event['method'] == 'Network.requestWillBeSent']

    def errors(self) -> list[str]:
        "What the console has told since the page was opened"
        told = []
        for method, params in ((event['method'], event['params']) for event in self.events):
            if method == 'Runtime.exceptionThrown': told.append(params['exceptionDetails']['text'])
            elif method == 'Log.entryAdded' and params['entry']['level'] == 'error': told.append(params['entry']['text'])
            elif method == 'Runtime.consoleAPICalled' and params['type'] == 'error': told.append(str(params['args']))
        return told
