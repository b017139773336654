"""Joins the live page's WebSocket with PyPI `websockets`, and reads it to its end.

live_viewer.py ADDRESS [JOIN_LATE]: with JOIN_LATE a second viewer joins when the first has had so many states.
Prints JSON: {"page": its length, "policy": its Content-Security-Policy, "viewers": [{"texts": [...], "code": 1000}, ...]}.
"""
import asyncio
import json
import sys
import urllib.request

import websockets

DEADLINE = 100


async def watch(url, origin, states=None, enough=None):
    """All texts until the server closes, and the code that it closes with."""
    texts, seen = [], 0
    async with websockets.connect(url, origin=origin, ping_interval=None) as socket:
        try:
            while True:
                text = json.loads(await socket.recv())
                texts.append(text)
                seen += text["type"] == "state"
                if enough and seen == states:
                    enough.set()
        except websockets.ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
    return {"texts": texts, "code": code}


async def late(url, origin, enough):
    await enough.wait()
    return await watch(url, origin)


async def main():
    address = sys.argv[1]
    with urllib.request.urlopen(address, timeout=10) as answer:
        policy, page = answer.headers["Content-Security-Policy"], answer.read()
    url, origin = address.replace("http:", "ws:") + "live", address.rstrip("/")
    enough = asyncio.Event()
    viewers = [watch(url, origin, int(sys.argv[2]) if len(sys.argv) > 2 else None, enough)]
    if len(sys.argv) > 2:
        viewers.append(late(url, origin, enough))
    viewers = await asyncio.wait_for(asyncio.gather(*viewers), DEADLINE)
    print(json.dumps({"page": len(page), "policy": policy, "viewers": viewers}))


asyncio.run(main())
