"""Reads a page with Python's own parser: tags must balance, ids be unique, and nothing be loaded from elsewhere.

Prints JSON: {"faults": [...], "tags": {name: count}, "headings": ["h1", ...], "ids": [...]}.
"""
import json
import sys
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "input", "hr"}
LOADING = {"src", "href", "xlink:href", "srcset", "action", "data", "poster"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.faults, self.tags, self.headings, self.ids = [], [], {}, [], []

    def note(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        if tag in {"h1", "h2", "h3"}:
            self.headings.append(tag)
        for name, value in attributes:
            if name == "id":
                if value in self.ids:
                    self.faults.append(f"id {value} twice")
                self.ids.append(value)
            if name in LOADING and not (value or "").startswith("#"):
                self.faults.append(f"{tag} {name}={value}")
            if name.startswith("on") or name == "style":
                self.faults.append(f"{tag} has {name}")

    def handle_starttag(self, tag, attributes):
        self.note(tag, attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.note(tag, attributes)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1:]} at {self.getpos()}")
        else:
            self.open.pop()


page = Page()
with open(sys.argv[1], encoding="utf-8") as file:
    page.feed(file.read())
page.close()
page.faults += [f"<{tag}> stays open" for tag in page.open]
print(json.dumps({"faults": page.faults, "tags": page.tags, "headings": page.headings, "ids": page.ids}))
