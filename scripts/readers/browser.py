"""Opens a page in headless Chromium, waits until an expression is true in it, and tells what is there.

browser.py URL EXPRESSION: prints JSON: {"texts": {id: text}, "html": its markup, "title": …, "console": [warnings and
errors], "overflow": {"320": by how many pixels a phone of that width would scroll sideways, "390": …, "1200": …, "print": …},
"faint": {"light": [texts whose contrast is below what WCAG 2.2, 1.4.3 asks for], "dark": …, "print": …}}.
With a third argument, a folder: writes pictures of it there, light, dark and as printed, wide and as on a phone.
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
# The contrast of WCAG 2.2: relative luminance of sRGB; colours that let through what is behind them are mixed with it. A text in
# a drawing stands on the nearest element that has a background.
FAINT = """(() => {
  const parse = text => { const n = text.match(/[\\d.]+/g)?.map(Number) ?? [0, 0, 0, 0]; return [n[0], n[1], n[2], n[3] ?? 1] }
  const over = (top, low) => [0, 1, 2].map(i => top[i] * top[3] + low[i] * (1 - top[3])).concat(1)
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => v / 255).map(
    v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b }
  const found = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement
    if (!text || !element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue
    if (element.closest('script, style, title, desc')) continue
    let backdrop = [255, 255, 255, 1], opacity = 1
    const above = []
    for (let e = element; e; e = e.parentElement) above.unshift(getComputedStyle(e))
    for (const style of above) { backdrop = over(parse(style.backgroundColor), backdrop); opacity *= Number(style.opacity) }
    const style = getComputedStyle(element)
    const ink = parse(element instanceof SVGElement ? style.fill : style.color)
    const [a, b] = [light(over([ink[0], ink[1], ink[2], ink[3] * opacity], backdrop)), light(backdrop)]
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700
    if (ratio < (size >= 24 || bold && size >= 18.66 ? 3 : 4.5))
      found.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}, ${ink} on ${backdrop}`)
  }
  return Array.from(new Set(found)).slice(0, 20)
})()"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# A4 within its margins, at the 96 pixels an inch of CSS.
PAPER = 718
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

    def media(self, scheme="light", media=""):
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def overflow(self, width):
        self.size(width)
        # A page that is too wide is zoomed out on a phone: then its width says so.
        assert self.evaluate("document.documentElement.clientWidth") >= width
        return self.evaluate(OVERFLOW) + self.evaluate("document.documentElement.clientWidth") - width

    def picture(self, path, width, scheme, media=""):
        self.size(width)
        self.media(scheme, media)
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
        answer = {"texts": browser.evaluate(TEXTS), "html": browser.evaluate("document.documentElement.outerHTML"),
                  "title": browser.evaluate("document.title"), "overflow": {}, "faint": {}}
        for width in [320, 390, 1200]:
            answer["overflow"][str(width)] = browser.overflow(width)
        for scheme in ["light", "dark"]:
            browser.media(scheme)
            answer["faint"][scheme] = browser.evaluate(FAINT)
        # Who reads in the dark prints on white paper all the same.
        browser.media("dark", "print")
        answer["overflow"]["print"] = browser.overflow(PAPER)
        answer["faint"]["print"] = browser.evaluate(FAINT)
        if pictures:
            for name, width, scheme, media in [("light", 1200, "light", ""), ("dark", 1200, "dark", ""),
                                               ("phone", 390, "light", ""), ("print", PAPER, "dark", "print")]:
                browser.picture(f"{pictures}/{name}.png", width, scheme, media)
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
