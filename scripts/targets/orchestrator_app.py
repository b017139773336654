"""orchestrator-core's WebSocketManager behind its WebSocket endpoint, without the rest of the orchestrator.

The endpoint does what orchestrator/core/api/api_v1/endpoints/ws.py does, less the authorization, which needs an identity
provider. `POST /broadcast/{channel}` stands for the code that calls `broadcast_data` in a real orchestrator.
"""

import json
import os
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, Header, Request, Response, WebSocket
from nwastdlib.logging import initialise_logging
from orchestrator.core.log_config import LOGGER_OVERRIDES
from orchestrator.core.websocket.websocket_manager import WebSocketManager

initialise_logging(LOGGER_OVERRIDES)
manager = WebSocketManager(True, os.environ["WEBSOCKET_BROADCASTER_URL"])


@asynccontextmanager
async def lifespan(_: FastAPI):
    await manager.connect_redis()
    yield
    await manager.disconnect_all()
    await manager.disconnect_redis()


app = FastAPI(lifespan=lifespan)


@app.websocket("/api/ws/events")
async def events(websocket: WebSocket, sec_websocket_protocol: Annotated[str | None, Header()] = None) -> None:
    subprotocol = sec_websocket_protocol.split(", ")[0] if sec_websocket_protocol else None
    await websocket.accept(subprotocol=subprotocol)
    await manager.connect(websocket, "events")


@app.post("/broadcast/{channel}")
async def broadcast(channel: str, request: Request) -> Response:
    await manager.broadcast_data([channel], json.loads(await request.body()))
    return Response(status_code=204)
