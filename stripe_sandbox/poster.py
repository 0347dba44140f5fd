"""A small HTTP/1.1 client for webhooks: POST over kept connections, nothing else."""

import asyncio
import ssl
from urllib.parse import urlsplit


class Poster:
    """Posts bodies to one host after another; a connection serves one post at a time and is then kept."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int, bool], list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {}

    async def post(self, url: str, body: bytes, headers: dict[str, str], *, timeout: float) -> int:
        """The status answered; raises OSError, ValueError or TimeoutError when there is no answer."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        place = (parts.hostname or "localhost", parts.port or (443 if secure else 80), secure)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {path} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
        async with asyncio.timeout(timeout):
            kept = self._idle.setdefault(place, [])
            while kept:
                reader, writer = kept.pop()
                if reader.at_eof() or writer.is_closing():
                    writer.close()
                    continue
                try:
                    return await self._exchange(place, reader, writer, request)
                except (ConnectionError, asyncio.IncompleteReadError):
                    break
            context = ssl.create_default_context() if secure else None
            reader, writer = await asyncio.open_connection(place[0], place[1], ssl=context)
            return await self._exchange(place, reader, writer, request)

    async def _exchange(
        self,
        place: tuple[str, int, bool],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        request: bytes,
    ) -> int:
        done = False
        try:
            writer.write(request)
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            status = int(head.split(" ", 2)[1])
            done = await self._skip_body(reader, head, status)
            return status
        finally:
            if done and "connection: close" not in head:
                self._idle[place].append((reader, writer))
            else:
                writer.close()

    @staticmethod
    async def _skip_body(reader: asyncio.StreamReader, head: str, status: int) -> bool:
        if status in (204, 304):
            return True
        for line in head.split("\r\n"):
            if line.startswith("content-length:"):
                await reader.readexactly(int(line.split(":", 1)[1]))
                return True
        return False
