"""A real orchestrator-core and an instance of wsmlab on one Redis: each must deliver what the other publishes.

Run by run.sh beside it. Exits 0 when both directions work, 1 with the reason otherwise.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_redis() -> tuple[subprocess.Popen, str]:
    port = free_port()
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server, f"redis://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.05)
    server.kill()
    raise TimeoutError("redis-server did not come up within 10 s")


class Socket:
    """What orchestrator-core's manager needs of a WebSocket."""

    client = "interop"
    headers: dict[str, str] = {}

    def __init__(self) -> None:
        self.received: list[str] = []

    async def send_text(self, text: str) -> None:
        self.received.append(text)

    async def receive_text(self) -> str:
        await asyncio.sleep(3600)
        return ""


async def exchange(url: str, port: int) -> None:
    import websockets
    from orchestrator.core.websocket.managers.broadcast_websocket_manager import BroadcastWebsocketManager

    theirs, ours = BroadcastWebsocketManager(url), Socket()
    listening = asyncio.create_task(theirs.connect(ours, "events"))
    async with websockets.connect(f"ws://127.0.0.1:{port}/api/ws/events") as client:
        deadline = time.monotonic() + 10
        while not ours.received and time.monotonic() < deadline:
            await theirs.broadcast_data(["events"], {"name": "theirs", "value": {"é": 1}})
            await asyncio.sleep(0.1)
        message = await asyncio.wait_for(client.recv(), 5)
        assert message == '{"name":"theirs","value":{"é":1}}', f"our client got {message!r}"
        put = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/settings/status", data=b'{"global_lock": false}', method="PUT"
        )
        await asyncio.to_thread(urllib.request.urlopen, put, timeout=5)
        wanted = '{"name":"invalidateCache","value":{"type":"engineStatus"}}'
        while wanted not in ours.received and time.monotonic() < deadline + 10:
            await asyncio.sleep(0.05)
        assert wanted in ours.received, f"their client got {ours.received!r}"
    listening.cancel()


def main() -> int:
    redis, url = start_redis()
    os.environ.update(CACHE_URI=url, WEBSOCKET_BROADCASTER_URL=url)
    os.environ.setdefault("DATABASE_URI", "postgresql://nobody:none@127.0.0.1:1/none")
    command = [sys.argv[1], "serve", "--manager", "broadcast", "--redis", url, "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        port = int(line.split("http://127.0.0.1:")[1].split(",")[0])
        asyncio.run(asyncio.wait_for(exchange(url, port), 40))
        print("orchestrator-core and wsmlab deliver each other's broadcasts")
        return 0
    except Exception as error:
        print(f"interop failed: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    finally:
        server.terminate()
        server.wait(10)
        redis.terminate()
        redis.wait(10)


if __name__ == "__main__":
    sys.exit(main())
