"""Opens a page in headless Chromium, waits until an expression is true in it, and tells what is there.

browser.py URL EXPRESSION: prints JSON: {"texts": {id: text}, "html": the body's markup, "title": …, "console": [warnings and
errors], "overflow": {"390": columns that a phone would scroll sideways, "1200": …}}.
With a third argument, a folder: writes pictures of it there, light and dark, wide and as on a phone.
"""
import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

DEADLINE = 60
TEXTS = """Object.fromEntries(Array.from(document.querySelectorAll('[id]'), e => [e.id, e.hidden ? null : e.textContent]))"""


class Browser:
    """Chromium at the other end of two pipes (`--remote-debugging-pipe`); it ends when they close."""

    def __init__(self, profile):
        theirs_in, self.output = os.pipe()
        self.input, theirs_out = os.pipe()
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs_in, theirs_out)]

        def place():
            os.dup2(theirs[0], 3)
            os.dup2(theirs[1], 4)

        command = ["/usr/bin/chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--no-first-run", "--hide-scrollbars", f"--user-data-dir={profile}", "--remote-debugging-pipe"]
        self.process = subprocess.Popen(command, preexec_fn=place, pass_fds=(3, 4), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for end in theirs + [theirs_in, theirs_out]:
            os.close(end)
        self.buffer, self.number, self.session, self.console = b"", 0, None, []

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.note(answer)

    def receive(self):
        while b"\0" not in self.buffer:
            part = os.read(self.input, 1 << 16)
            if not part:
                raise RuntimeError("chromium ended")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def note(self, event):
        method, values = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.console.append(values["exceptionDetails"]["exception"].get("description", str(values)))
        if method == "Runtime.consoleAPICalled" and values["type"] in {"error", "warning", "assert"}:
            self.console.append(str(values["args"]))
        if method == "Log.entryAdded" and values["entry"]["level"] in {"error", "warning"}:
            self.console.append(values["entry"]["text"])

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def size(self, width, height=844):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 500)

    def picture(self, path, width, scheme):
        self.size(width)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        time.sleep(0.3)
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": width, "height": self.evaluate("document.documentElement.scrollHeight"), "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(data["data"]))


def main(url, expression, pictures=None):
    profile = tempfile.mkdtemp(prefix="wsmlab-chromium-")
    browser = Browser(profile)
    try:
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        browser.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Runtime", "Log", "Page"]:
            browser.call(f"{domain}.enable")
        browser.size(1200)
        browser.call("Page.navigate", url=url)
        deadline = time.monotonic() + DEADLINE
        # Until the page is there an expression may fail.
        while not browser.evaluate(f"(() => {{ try {{ return Boolean({expression}) }} catch (e) {{ return false }} }})()"):
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited in vain for {expression}: {browser.evaluate(TEXTS)} {browser.console}")
            time.sleep(0.02)
        answer = {"texts": browser.evaluate(TEXTS), "html": browser.evaluate("document.body.outerHTML"),
                  "title": browser.evaluate("document.title"), "overflow": {}}
        for width in [390, 1200]:
            browser.size(width)
            answer["overflow"][str(width)] = browser.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert browser.evaluate("window.innerWidth") == width
        if pictures:
            for name, width, scheme in [("light", 1200, "light"), ("dark", 1200, "dark"), ("phone", 390, "light")]:
                browser.picture(f"{pictures}/{name}.png", width, scheme)
        answer["console"] = browser.console
        print(json.dumps(answer))
    finally:
        os.close(browser.output)
        os.close(browser.input)
        try:
            browser.process.wait(10)
        except subprocess.TimeoutExpired:
            browser.process.kill()
            browser.process.wait()
        shutil.rmtree(profile, ignore_errors=True)


main(*sys.argv[1:])
